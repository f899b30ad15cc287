// needs.mjs: what a row of the fault bench needs beside the servers, and whether it is here.
import fs from 'node:fs';

import { fakeClockLibrary } from '../../support/fake_clock.mjs';
import { forgetfulLibrary } from '../../support/forgetful_disk.mjs';

// What servers with failpoints have in them, and others have not.
const FAILPOINTS = 'CONFAB_FAILPOINTS';

export function hasFailpoints(bin) {
  const server = `${bin}/confab-control`;
  return fs.existsSync(server) && fs.readFileSync(server).includes(FAILPOINTS);
}

function descriptorLimit() {
  const limits = fs.readFileSync('/proc/self/limits', 'utf8');
  const [, hard] = /^Max open files +\S+ +(\S+)/m.exec(limits);
  return hard === 'unlimited' ? Infinity : Number(hard);
}

// Name → [whether it is here, what brings it].
const NEEDS = {
  root: [() => process.getuid() === 0, 'root'],
  failpoints: [hasFailpoints, 'servers with failpoints: tools/build ci'],
  descriptors: [() => descriptorLimit() >= 12_000, '12,000 descriptors a process (ulimit -Hn)'],
  'fake clock': [() => fakeClockLibrary() !== null, 'the package faketime: tools/deps faults'],
  'forgetful disk': [
    (bin) => forgetfulLibrary(bin) !== null,
    'a library that is built with the tests: tools/build ci confab_forget_unsynced',
  ],
};

// Null, or what is missing for the row with the servers in `bin`.
export function missingFor(row, bin) {
  const wanted = (row.needs ?? []).map((name) => NEEDS[name]);
  const missing = wanted.filter(([isHere]) => !isHere(bin)).map(([, words]) => words);
  return missing.length > 0 ? missing.join('; ') : null;
}
