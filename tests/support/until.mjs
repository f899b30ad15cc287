// until.mjs: waiting for a condition with a deadline. Tests never sleep for a fixed time.
import { pause } from './pause.mjs';

const PERIOD_MS = 5; // How often a condition is looked at: short against every deadline in use.

// Resolves with the first truthy value of `condition` (may be async); throws after `ms` with
// `what`, and with what `condition.detail` says if it is given.
export async function until(what, condition, ms = 10_000, detail = () => '') {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) {
      const more = detail();
      throw new Error(`not within ${ms} ms: ${what}${more ? ` (${more})` : ''}`);
    }
    await pause(PERIOD_MS);
  }
}

// The promise's value, or an error naming `what` after `ms`.
export async function within(what, ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
