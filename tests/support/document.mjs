// document.mjs: sections of a Markdown document that tools write.

// The text with `section` in place of the one of its title, or at its end. The section begins with
// the title ("## Measured") and ends with a newline.
export function withSection(text, section) {
  const title = section.split('\n', 1)[0];
  const begin = `\n${text}\n`.indexOf(`\n${title}\n`);
  if (begin < 0) return `${text.trimEnd()}\n\n${section}`;
  const next = text.slice(begin + title.length).search(/^## /m);
  const rest = next < 0 ? '' : `\n${text.slice(begin + title.length + next)}`;
  return text.slice(0, begin) + section + rest;
}
