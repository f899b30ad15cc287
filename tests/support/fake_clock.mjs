// fake_clock.mjs: a wall clock that can be set while servers run (libfaketime, preloaded), without
// touching the machine's. Steady clocks go on as they were.
import fs from 'node:fs';

const LIBRARIES = '/usr/lib';
const NAME = 'faketime/libfaketimeMT.so.1'; // Of its two, the one for processes with threads.

// Null: it is not installed.
export function fakeClockLibrary() {
  const dirs = fs.readdirSync(LIBRARIES, { withFileTypes: true }).filter((one) => one.isDirectory());
  const files = dirs.map((dir) => `${LIBRARIES}/${dir.name}/${NAME}`);
  return files.find((file) => fs.existsSync(file)) ?? null;
}

export class FakeClock {
  // `file`: where it lies what the clock says, made anew.
  constructor(file) {
    this.library = fakeClockLibrary();
    if (this.library === null) throw new Error('no libfaketime: tools/deps faults installs it');
    this.file = file;
    this.set(0);
  }

  // What to add to the environment of who shall go by it.
  get env() {
    return {
      LD_PRELOAD: this.library,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_CACHE_DURATION: '1', // Seconds until a change is seen.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  // Within a second it is so much later than it is (less than 0: earlier).
  set(seconds) {
    this.offset = seconds;
    fs.writeFileSync(`${this.file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    fs.renameSync(`${this.file}.new`, this.file); // Nobody reads half of it.
  }
}
