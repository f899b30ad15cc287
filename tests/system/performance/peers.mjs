// peers.mjs: what other servers take for the same work, measured elsewhere and told by a file. Pure
// but for reading it.
import fs from 'node:fs';

import { fullName } from './rows.mjs';

export const PEERS_FORM = `{
  "about": "in turn with Confab, 3 runs, 2 cores, PostgreSQL 15, 2026-11-22",
  "pairs": {"peer": "nest", "values": [310, 305, 318], "unit": "s per 1M stored messages"},
  "chat/p99": [{"peer": "nest", "values": [1.9], "unit": "ms"},
               {"peer": "socket.io", "values": [0.25], "unit": "ms"}]
}`;

// Figures by the names a file may use: "ROW/FIGURE", and "ROW" for its first one.
function figuresByName(rows) {
  const known = new Map();
  for (const row of rows) {
    for (const figure of row.figures) known.set(fullName(row, figure), [row, figure]);
    known.set(row.name, [row, row.figures[0]]);
  }
  return known;
}

function checked(name, figure, { peer, values, unit } = {}) {
  if (typeof peer !== 'string' || peer === '') throw new Error(`${name}: "peer" says whose it is`);
  const areNumbers = Array.isArray(values) && values.every(Number.isFinite);
  if (!areNumbers || values.length === 0) throw new Error(`${name}: "values" is a list of numbers`);
  if (unit !== figure.unit)
    throw new Error(`${name}: "unit" is "${figure.unit}", not "${unit}": else there is no ratio`);
  return { peer, values };
}

// {about, of(row, figure) → [{peer, values}]}; an error says which line of it cannot be taken.
export function peersFrom(object, rows) {
  const { about = '', ...entries } = object;
  const known = figuresByName(rows);
  const byFigure = new Map();
  for (const [name, given] of Object.entries(entries)) {
    if (!known.has(name)) throw new Error(`there is no figure ${name}; --list names them`);
    const [row, figure] = known.get(name);
    const key = fullName(row, figure);
    const all = [given].flat().map((one) => checked(name, figure, one));
    byFigure.set(key, [...(byFigure.get(key) ?? []), ...all]);
  }
  return { about, of: (row, figure) => byFigure.get(fullName(row, figure)) ?? [] };
}

// `file`: null, there is none.
export function readPeers(file, rows) {
  if (file === null) return peersFrom({}, rows);
  try {
    return peersFrom(JSON.parse(fs.readFileSync(file, 'utf8')), rows);
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
}
