// samples.mjs: durations of a run, in milliseconds, and what is said of them.

export class Samples {
  constructor() {
    this.reset();
  }

  add(ms) {
    this.values.push(ms);
  }

  reset() {
    this.values = [];
  }

  get count() {
    return this.values.length;
  }

  // 0 without samples.
  get max() {
    return this.values.reduce((most, ms) => Math.max(most, ms), 0);
  }

  // 0 without samples.
  get mean() {
    const sum = this.values.reduce((total, ms) => total + ms, 0);
    return this.count > 0 ? sum / this.count : 0;
  }

  // `share` of the samples are at most this long.
  quantile(share) {
    const sorted = [...this.values].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  }
}
