// last_line.mjs: the last line of a terminal, which says how long something runs and how it goes on.
// Elsewhere nothing.

const SHOWN_AGAIN_MS = 1_000;

export class LastLine {
  constructor(out = process.stdout) {
    this.out = out;
    this.began = Date.now();
    this.news = '';
    this.isShown = false;
    if (!out.isTTY) return;
    this.timer = setInterval(() => this.#show(), SHOWN_AGAIN_MS);
    this.#show();
  }

  // What runs says of itself.
  tell(news) {
    this.news = news;
    if (this.timer) this.#show();
  }

  // A line that stays.
  print(text) {
    this.#clear();
    this.out.write(`${text}\n`);
    if (this.timer) this.#show();
  }

  end() {
    clearInterval(this.timer);
    this.timer = null;
    this.#clear();
  }

  #show() {
    const seconds = Math.round((Date.now() - this.began) / 1_000);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    this.#clear();
    // One that reaches the edge of the terminal would not be taken back whole.
    this.out.write(`    ${time} ${this.news}`.slice(0, (this.out.columns || 80) - 1));
    this.isShown = true;
  }

  #clear() {
    if (this.isShown) this.out.write('\r\x1b[K');
    this.isShown = false;
  }
}
