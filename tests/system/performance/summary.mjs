// summary.mjs: rows and what was measured of them, as lines of a terminal. Pure but for results that
// are read.
import { goalText, pointsText, verdict } from './goals.mjs';
import { fullName } from './rows.mjs';

const goalsOf = ({ goals = [] }) => goals.map(goalText).join(', ');
const SAID = { yes: 'reached', no: 'MISSED', 'not compared': 'not compared', '': '' };

export function listOf(rows) {
  return rows.flatMap((row) => [
    row.name,
    `    ${row.work}${row.grows ? `, over ${row.grows}` : ''}`,
    ...row.figures.map((figure) => {
      const goals = goalsOf(figure);
      const goal = goals === '' ? '' : `; goal ${goals}`;
      return `    ${fullName(row, figure)}: ${figure.what}, ${figure.unit}${goal}`;
    }),
  ]);
}

// {lines, missed}: of all figures, and how many miss a goal. Of a short form none does. `print`: of
// which programs results count.
export function summaryOf(rows, { results, print }) {
  const cells = [];
  let missed = 0;
  for (const row of rows) {
    const result = results.of(row);
    const isKnown = result?.ok && result.binaries === print;
    if (!isKnown) cells.push([row.name, 'not measured', '']);
    for (const figure of isKnown ? row.figures : []) {
      const points = result.figures[figure.name];
      const word = result.form === 'long' ? verdict(figure, points) : '';
      if (word === 'no') ++missed;
      const goals = goalsOf(figure);
      const goal = goals === '' ? '' : `  goal ${goals}  ${SAID[word]}`.trimEnd();
      cells.push([fullName(row, figure), `${pointsText(points)} ${figure.unit}`, goal]);
    }
  }
  const width = Math.max(...cells.map(([name]) => name.length));
  const lines = cells.map(([name, value, goal]) => `${name.padEnd(width)}  ${value}${goal}`);
  return { lines, missed };
}
