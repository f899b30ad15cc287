// rows.mjs: the rows of tools/performance. Each has a name, the work that is measured, its figures
// (goals.mjs), how many minutes three runs take ({long, short}), what it needs (programs.mjs), and
// run(bench), which adds a value to each figure in each run. Rows of `growth` tell their first figure
// over sizes; their `grows` is what these are.
import { connections } from './connections.mjs';
import { deliveries } from './deliveries.mjs';
import { stored } from './stored.mjs';

export const rows = [...deliveries, ...stored, ...connections];

export const fullName = (row, figure) => `${row.name}/${figure.name}`;

export function rowNamed(name) {
  const row = rows.find((one) => one.name === name);
  if (row) return row;
  throw new Error(`no such row: ${name}; there is: ${rows.map((one) => one.name).join(', ')}`);
}
