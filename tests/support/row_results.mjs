// row_results.mjs: what a tool keeps of each row it has run: a file of results, and a log beside it.
import fs from 'node:fs';
import path from 'node:path';

export class RowResults {
  constructor(dir) {
    this.dir = dir;
  }

  file(row, ending = 'json') {
    return path.join(this.dir, `${row.name}.${ending}`);
  }

  // Null: none.
  of(row) {
    try {
      return JSON.parse(fs.readFileSync(this.file(row), 'utf8'));
    } catch {
      return null;
    }
  }

  keep(row, result) {
    fs.writeFileSync(this.file(row), `${JSON.stringify(result, null, 2)}\n`);
  }
}
