// forgetful_disk_test.mjs: the disk that forgets in a cut of power what was not synced, by a program
// that knows nothing of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { ForgetfulDisk } from '../support/forgetful_disk.mjs';

const PRELUDE = `
import os, fcntl, sys
os.chdir(sys.argv[1])
def make(name, *flags):
    return os.open(name, os.O_RDWR | os.O_CREAT | sum(flags), 0o644)
`;

function withDisk(body) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'confab-disk-'));
  try {
    fs.mkdirSync(`${dir}/data`);
    const disk = new ForgetfulDisk(`${dir}/kept`, `${dir}/data/`);
    const run = (script) =>
      execFileSync('python3', ['-c', PRELUDE + script, `${dir}/data`], {
        env: { ...process.env, ...disk.env },
      });
    const has = (name) => fs.readFileSync(`${dir}/data/${name}`, 'latin1');
    body({ disk, run, has, data: `${dir}/data` });
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

test('what was synced stays, what was not is gone, and its bytes are counted', () =>
  withDisk(({ disk, run, has }) => {
    run(`
f = make('log')
os.write(f, b'one ')
os.fsync(f)
os.pwrite(f, b'ONE', 0)
os.pwritev(f, [b'tw', b'o '], 4)
os.fdatasync(f)
os.write(f, b'lost')
os.pwrite(f, b'x', 0)
g = make('never synced')
os.write(g, b'lost')
`);
    assert.equal(has('log'), 'xNE lost');
    assert.equal(disk.cutPower(), 4 + 1 + 4);
    assert.equal(has('log'), 'ONE two ');
    assert.equal(has('never synced'), '');
  }));

test('what was there before counts as synced; after a cut it begins anew', () =>
  withDisk(({ disk, run, has, data }) => {
    fs.writeFileSync(`${data}/log`, 'of old');
    run(`
f = make('log')
os.pwrite(f, b'OF', 0)
os.fsync(f)
os.pwrite(f, b'OLD', 3)
`);
    disk.cutPower();
    assert.equal(has('log'), 'OF old');
    run(`os.pwrite(make('log'), b'again', 0)`);
    disk.cutPower();
    assert.equal(has('log'), 'OF old');
    assert.equal(disk.cutPower(), 0);
  }));

test('cutting a file is a change as well', () =>
  withDisk(({ disk, run, has, data }) => {
    for (const name of ['shorter', 'emptied', 'by name', 'synced', 'hole'])
      fs.writeFileSync(`${data}/${name}`, 'abcdef');
    run(`
os.ftruncate(make('shorter'), 3)
make('emptied', os.O_TRUNC)
os.truncate('by name', 0)
f = make('synced')
os.ftruncate(f, 3)
os.fsync(f)
g = make('hole')
os.ftruncate(g, 1)
os.pwrite(g, b'f', 5)
os.fsync(g)
`);
    disk.cutPower();
    for (const name of ['shorter', 'emptied', 'by name']) assert.equal(has(name), 'abcdef', name);
    assert.equal(has('synced'), 'abc');
    assert.equal(has('hole'), 'a\0\0\0\0f');
  }));

test('a renamed file keeps what was synced; a new one of the name has nothing of the old', () =>
  withDisk(({ disk, run, has }) => {
    run(`
f = make('new')
os.write(f, b'synced')
os.fsync(f)
os.write(f, b' and more')
os.rename('new', 'log')
for i in range(50):
    g = make('old')
    os.write(g, b'of the one before')
    os.fsync(g)
    os.close(g)
    os.unlink('old')
h = make('old')
os.write(h, b'lost')
`);
    disk.cutPower();
    assert.equal(has('log'), 'synced');
    assert.equal(has('old'), '');
  }));

test("another process's fsync counts, and locks survive it", () =>
  withDisk(({ disk, run, has }) => {
    run(`
f = make('log')
fcntl.lockf(f, fcntl.LOCK_EX)
os.write(f, b'by the parent')
os.fsync(f)
os.write(f, b', and again')
child = os.fork()
if child == 0:
    g = make('log')
    try:
        fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os._exit(1)
    except OSError:
        os.fsync(g)
        os._exit(0)
assert os.waitpid(child, 0)[1] == 0
`);
    disk.cutPower();
    assert.equal(has('log'), 'by the parent, and again');
  }));

test('a disk that lies forgets everything from then on', () =>
  withDisk(({ disk, run, has }) => {
    run(`
f = make('log')
os.write(f, b'true')
os.fsync(f)
`);
    disk.lie();
    run(`
f = make('log', os.O_APPEND)
os.write(f, b', and a lie')
os.fsync(f)
`);
    assert.equal(has('log'), 'true, and a lie');
    disk.cutPower();
    assert.equal(has('log'), 'true');
  }));
