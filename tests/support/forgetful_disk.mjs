// forgetful_disk.mjs: files that a cut of power leaves as their last fsync did (forget_unsynced.c,
// which CMake builds with the tests and which is preloaded into whoever writes them).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { binDir } from './cluster.mjs';

const NAME = 'forget_unsynced.so';
const here = path.dirname(fileURLToPath(import.meta.url));

// Beside the servers' own tests, or those of the build that has tests.
export function forgetfulLibrary(bin = binDir) {
  const places = [path.resolve(bin, '../tests'), path.resolve(here, '../../build/ci/tests')];
  return places.map((dir) => path.join(dir, NAME)).find((file) => fs.existsSync(file)) ?? null;
}

// All regular files whose paths begin with `prefix`.
function filesAt(prefix) {
  const isTree = prefix.endsWith('/');
  const dir = isTree ? prefix : path.dirname(prefix);
  return fs
    .readdirSync(dir, { withFileTypes: true, recursive: isTree })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => file.startsWith(prefix));
}

export class ForgetfulDisk {
  // `dir`: where what is kept of the files lies, made anew; `files`: what their paths begin with (a
  // directory ends with /); `user`: who writes them, if not this process's user.
  constructor(dir, files, user = null) {
    const library = forgetfulLibrary();
    if (library === null) throw new Error(`no ${NAME}: tools/build ci builds it`);
    fs.mkdirSync(dir);
    this.shadows = `${dir}/shadows`;
    fs.mkdirSync(this.shadows);
    this.files = files;
    // Where that user may read it, whoever owns the build.
    this.library = `${dir}/${NAME}`;
    fs.copyFileSync(library, this.library);
    fs.chmodSync(this.library, 0o755);
    fs.chmodSync(dir, 0o755);
    if (user) execFileSync('chown', [`${user}:`, this.shadows]);
  }

  // What to add to the environment of whoever writes the files.
  get env() {
    return {
      LD_PRELOAD: this.library,
      FORGET_UNSYNCED_FILES: this.files,
      FORGET_UNSYNCED_SHADOWS: this.shadows,
    };
  }

  // From now on it says that it syncs, and does not.
  lie() {
    fs.writeFileSync(`${this.shadows}/lie`, '');
  }

  // What was not synced is gone; how many bytes that were. REQUIRES: nobody runs who has a file open.
  cutPower() {
    let forgotten = 0;
    for (const file of filesAt(this.files)) {
      const { dev, ino } = fs.statSync(file);
      const shadow = `${this.shadows}/${dev.toString(16)}-${ino.toString(16)}`;
      if (!fs.existsSync(shadow)) continue; // Never changed.
      forgotten += bytesIn(`${shadow}.dirty`);
      fs.copyFileSync(shadow, file); // The inode stays, and its owner.
    }
    for (const name of fs.readdirSync(this.shadows)) fs.rmSync(`${this.shadows}/${name}`);
    return forgotten;
  }
}

// What the notes of a file's changes since its last fsync add up to.
function bytesIn(notes) {
  const ranges = fs.readFileSync(notes);
  let sum = 0;
  for (let at = 8; at < ranges.length; at += 16) sum += Number(ranges.readBigInt64LE(at));
  return sum;
}
