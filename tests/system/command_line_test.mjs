// command_line_test.mjs: what every program of ours says on its command line, and what the ops
// listener shows.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { binDir } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';

const run = (program, ...args) =>
  new Promise((resolve) => {
    execFile(`${binDir}/${program}`, args, { timeout: 30_000 }, (error, out, err) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, out, err }),
    );
  });

const programs = ['confab', 'confab-edge', 'confab-control', 'confabctl', 'confab-loadgen'];

test('every program answers --help and --version', async () => {
  for (const program of programs) {
    const help = await run(program, '--help');
    const version = await run(program, '--version');
    assert.equal(help.code, 0, program);
    assert.match(help.out, /example/i, `${program} --help shows no example`);
    assert.equal(version.code, 0, program);
    assert.match(version.out, /\d+\.\d+\.\d+/, program);
  }
});

test('an unknown flag is refused and named', async () => {
  for (const program of programs) {
    const { code, err } = await run(program, '--lissten', '127.0.0.1:0');
    assert.notEqual(code, 0, program);
    assert.match(err, /lissten/, program);
  }
});

test('the server of the protocol suites has usage, and refuses what it does not know', async () => {
  const server = 'confab-protocol-server';
  const help = await run(server, '--help');
  assert.equal(help.code, 0, help.err);
  assert.match(help.out, /^Usage: confab-protocol-server \[PORT /);
  assert.match(help.out, /example/i);
  const wrong = [['--port'], ['65536'], ['0', '300', 'soon', '1500'], ['0', '1', '1', '1', '1']];
  for (const args of wrong) {
    const { code, out, err } = await run(server, ...args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(out, '');
    assert.match(err, /^confab-protocol-server: .*; see --help\n$/);
  }
});

test('confab dialect shows and checks dialects', async () => {
  const shown = await run('confab', 'dialect', 'show', 'rooms');
  assert.equal(shown.code, 0, shown.err);
  const dir = await mkdtemp(join(tmpdir(), 'confab-dialect-'));
  try {
    const file = join(dir, 'mine.json');
    await writeFile(file, shown.out.replace('"rooms"', '"mine"'));
    const good = await run('confab', 'dialect', 'check', file);
    assert.equal(good.code, 0, good.err);
    assert.match(good.out, /mine\.json: dialect mine\n/);
    assert.match(good.out, /receives sendMessage: postMessage \{roomId <- roomId \(id, required\)/);
    assert.match(good.out, /tells messagePosted: messageCreated\n/);

    await writeFile(file, '{\n"dialect": "mine",\n"refusals": {"default": "$colour"}}');
    const bad = await run('confab', 'dialect', 'check', file);
    assert.equal(bad.code, 1);
    assert.match(bad.err, /mine\.json:3: "\$colour" names nothing here; there is: reason, message/);
    const unstarted = await run('confab-edge', '--user-secret-file', '/dev/null', '--dialect-dir', dir);
    assert.notEqual(unstarted.code, 0);
    assert.match(unstarted.err, /mine\.json:3: /);
  } finally {
    await rm(dir, { recursive: true });
  }
  assert.equal((await run('confab', 'dialect', 'check', '/no/such/file')).code, 1);
  assert.equal((await run('confab', 'dialect', 'fly')).code, 2);
});

test('servers refuse what is unsafe or missing, and say what to do', async () => {
  const secret = 'service-secret-of-more-than-32-bytes';
  const refusals = [
    [
      'confab-control',
      ['--control-listen', '0.0.0.0:0', '--store', 'sqlite::memory:'],
      /loopback|TLS/i,
    ],
    [
      'confab-edge',
      ['--listen', '127.0.0.1:0', '--user-secret-file', '/no/such/file'],
      /no such file|cannot/i,
    ],
    [
      'confab-control',
      ['--store', 'mysql://localhost/confab', '--service-secret-file', '/dev/null'],
      /sqlite|postgresql|secret/i,
    ],
  ];
  for (const [program, args, says] of refusals) {
    const { code, err } = await run(program, ...args);
    assert.ok(code > 0, `${program} ${args.join(' ')}: ${code}`);
    assert.match(err, says, program);
    assert.ok(!err.includes(secret));
  }
});

scenario(
  'the ops listener shows life, readiness and metrics',
  { processes: 'two' },
  async (cluster) => {
    for (const server of cluster.servers) {
      assert.equal((await cluster.ops(server, '/livez')).status, 200);
      assert.equal((await cluster.readyz(server)).status, 200);
      assert.equal((await cluster.ops(server, '/nothing')).status, 404);
      const { text } = await cluster.ops(server, '/metrics');
      for (const line of text.trim().split('\n')) {
        assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{.*\})? [-+0-9.eInfNa]+)$/, line);
      }
    }
  },
);
