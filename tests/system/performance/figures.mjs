// figures.mjs: what is said of values that were measured several times. Pure.

// Without values NaN.
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const range = (values) => [Math.min(...values), Math.max(...values)];

// Three digits say as much as a few runs do; of large numbers all that stand before the point.
export function shown(value) {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

// "1.83 (1.7–1.9)": the median, and between what all values lie.
export function spread(values) {
  if (values.length < 2) return shown(median(values));
  const [least, most] = range(values);
  return `${shown(median(values))} (${shown(least)}–${shown(most)})`;
}

// By how much the medians rise at most from any size to a larger one: 1 where they never do, NaN
// where there is only one. `points`: [{x, values}], in any order.
export function riseOf(points) {
  const medians = [...points].sort((a, b) => a.x - b.x).map(({ values }) => median(values));
  if (medians.length < 2) return NaN;
  let least = medians[0];
  let rise = 1;
  for (const value of medians.slice(1)) {
    rise = Math.max(rise, value / least);
    least = Math.min(least, value);
  }
  return rise;
}
