// programs.mjs: the programs that are measured, those that measure, and what else a row needs.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const BINARIES = ['confab', 'confab-control', 'confab-edge', 'confab-loadgen'];

// Where they are looked for: what is run is measured, not the build of the tests.
const RELEASE = path.join(ROOT, 'build/release/bin');
export const binDir = path.resolve(process.env.CONFAB_BIN_DIR ?? RELEASE);

// Which are not there.
export const missingBinaries = () =>
  BINARIES.filter((name) => !fs.existsSync(path.join(binDir, name)));

// The bare sends; of any build, since it is the kernel that works. Null: not built.
export function floorProgram() {
  const dirs = [path.resolve(binDir, '../tests'), path.join(ROOT, 'build/ci/tests')];
  const programs = dirs.map((dir) => path.join(dir, 'send_floor'));
  return programs.find((program) => fs.existsSync(program)) ?? null;
}

// Tells these programs from others.
export function printOfPrograms() {
  const hash = createHash('sha256');
  for (const name of BINARIES) hash.update(fs.readFileSync(path.join(binDir, name)));
  return hash.digest('hex').slice(0, 16);
}

function descriptorLimit() {
  const limits = fs.readFileSync('/proc/self/limits', 'utf8');
  const [, hard] = /^Max open files +\S+ +(\S+)/m.exec(limits);
  return hard === 'unlimited' ? Infinity : Number(hard);
}

const GIB = 2 ** 30;

function freeGib() {
  const { bavail, bsize } = fs.statfsSync(os.tmpdir());
  return (bavail * bsize) / GIB;
}

// Null, or what is missing for the row, which may need {floor, connections, diskGib}; in its short
// form less.
export function missingFor({ needs = {} }, isShort) {
  const missing = [];
  if (needs.floor && floorProgram() === null)
    missing.push('what measures bare sends: tools/build ci send_floor');
  const descriptors = isShort ? 0 : (needs.connections ?? 0) + 500;
  if (!isShort && freeGib() < (needs.diskGib ?? 0))
    missing.push(`${needs.diskGib} GiB in ${os.tmpdir()} (TMPDIR)`);
  if (descriptorLimit() < descriptors)
    missing.push(`${descriptors} descriptors a process (ulimit -Hn)`);
  return missing.length > 0 ? missing.join('; ') : null;
}
