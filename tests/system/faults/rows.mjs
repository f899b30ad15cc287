// rows.mjs: the rows of the fault bench. Each has a name, the fault, what must hold, the cluster it
// wants (as Cluster takes it), what else it needs (names of needs.mjs), how many minutes it goes on
// if that is part of it ({long, short}), and run(bench).
import { clocks } from './clock.mjs';
import { crowds } from './crowds.mjs';
import { deaths } from './deaths.mjs';
import { frozen } from './frozen.mjs';
import { kills } from './kills.mjs';
import { links } from './links.mjs';
import { postgresFaults } from './postgres_faults.mjs';
import { powerCuts } from './power_cut.mjs';
import { readers } from './readers.mjs';
import { soaks } from './soak.mjs';
import { sqliteFaults } from './sqlite_faults.mjs';
import { storms } from './storms.mjs';

export const rows = [
  ...kills,
  ...deaths,
  ...frozen,
  ...postgresFaults,
  ...sqliteFaults,
  ...powerCuts,
  ...links,
  ...storms,
  ...readers,
  ...crowds,
  ...clocks,
  ...soaks,
];

export function rowNamed(name) {
  const row = rows.find((one) => one.name === name);
  if (row) return row;
  throw new Error(`no such row: ${name}; there is: ${rows.map((one) => one.name).join(', ')}`);
}
