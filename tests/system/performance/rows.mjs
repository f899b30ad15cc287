// rows.mjs: the rows of tools/performance. Each has a name, the work that is measured, its figures
// (goals.mjs), how many minutes it takes ({long: of three runs, short: of one}), what it needs
// (programs.mjs), and run(bench), which adds a value to each figure in each run. Rows with `grows`
// tell their figures over sizes, and that is what these are; a plot shows the first.
import { connections } from './connections.mjs';
import { deliveries } from './deliveries.mjs';
import { growth } from './growth.mjs';
import { roomGrowth } from './room_growth.mjs';
import { stored } from './stored.mjs';

export const rows = [...deliveries, ...stored, ...connections, ...growth, ...roomGrowth];

export const fullName = (row, figure) => `${row.name}/${figure.name}`;

export function rowNamed(name) {
  const row = rows.find((one) => one.name === name);
  if (row) return row;
  throw new Error(`no such row: ${name}; there is: ${rows.map((one) => one.name).join(', ')}`);
}
