// trend.mjs: whether something grows.

// How much y grows for each x, by least squares over [[x, y]]; NaN where that is not to be told.
export function slopeOf(points) {
  const mean = (place) => points.reduce((sum, point) => sum + point[place], 0) / points.length;
  const [middleX, middleY] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0);
  const common = points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0);
  return common / spread;
}
