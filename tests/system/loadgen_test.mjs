// loadgen_test.mjs: confab-loadgen against real servers: each scenario for a moment, its exit code
// and what it prints; what it says where a limit or a token is in its way; Ctrl-C.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';

import Ajv2020 from 'ajv/dist/2020.js';

import { binDir, scaled } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { until, within } from '../support/until.mjs';

const LIMIT_MS = 60_000; // Each run ends within some seconds, also on two busy cores.
const schemaFile = new URL('../../docs/loadgen.schema.json', import.meta.url);
const isValid = new Ajv2020({ strict: true }).compile(JSON.parse(fs.readFileSync(schemaFile)));

// A run that is under way: its process, and in `ended` {code, out, err}.
function start(cluster, args) {
  const env = { ...process.env, CONFAB_USER_SECRET_FILE: `${cluster.dir}/user.secret` };
  const child = spawn(
    `${binDir}/confab-loadgen`,
    ['--url', `ws://127.0.0.1:${cluster.port}`, ...args],
    { env },
  );
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  cluster.closing.push(() => child.kill('SIGKILL'));
  return { child, ended };
}

const run = (cluster, ...args) =>
  within(`confab-loadgen ${args.join(' ')}`, LIMIT_MS, start(cluster, args).ended);

const SHORT = ['--duration', '1s', '--warm-up', '200ms'];

// One that has to be clean; its JSON, held to the schema.
async function cleanRun(cluster, ...args) {
  const { code, out, err } = await run(cluster, ...args, ...SHORT, '-o', 'json');
  assert.equal(code, 0, `${args.join(' ')}: ${err}${out}`);
  const json = JSON.parse(out);
  assert.ok(isValid(json), JSON.stringify(isValid.errors));
  assert.equal(json.clean, true);
  assert.equal(json.scenario, args[0]);
  for (const [fault, count] of Object.entries(json.faults)) assert.equal(count, 0, fault);
  return json;
}

scenario(
  'each scenario ends clean, with figures of what it is about',
  { processes: 'two' },
  async (cluster) => {
    const edge = `edge=${cluster.edge.pid}`;
    const control = `control=${cluster.control.pid}`;
    const members = scaled(40, 4);

    const fanout = await cleanRun(cluster, 'fanout', '--members', String(members), '--pid', edge);
    assert.equal(fanout.connections, members);
    assert.ok(fanout.messages.acked > 0);
    assert.equal(fanout.deliveries.count, fanout.messages.acked * members);
    assert.equal(fanout.deliveryLatency.count, fanout.deliveries.count);
    assert.ok(fanout.deliveryLatency.p50Us <= fanout.deliveryLatency.p99Us);
    assert.equal(fanout.processes[0].name, 'edge');
    assert.ok(fanout.processes[0].rssBytesAtEnd > 1e6);

    const piped = ['--members', '8', '--senders', '4', '--window', '8', '--bytes', '1000'];
    const pipeline = await cleanRun(cluster, 'fanout', ...piped);
    assert.equal(pipeline.deliveries.count, pipeline.messages.acked * 8);

    const pids = ['--pid', edge, '--pid', control];
    const pairs = await cleanRun(cluster, 'pairs', '--users', '20', ...pids);
    assert.equal(pairs.deliveries.count, pairs.messages.acked * 2);
    assert.equal(pairs.allProcesses.processes, 2);

    const chat = await cleanRun(cluster, 'chat', '--users', '12', '--room-size', '3', '--rate', '5');
    assert.equal(chat.plan.rooms, 4);
    assert.equal(chat.deliveries.count, chat.messages.acked * 3);

    const durable = await cleanRun(cluster, 'durable', '--rooms', '5', '--window', '16');
    assert.equal(durable.plan.window, 16);
    assert.equal(durable.deliveries.count, durable.messages.acked);

    const idle = await cleanRun(cluster, 'idle', '--connections', '50', '--rooms', '5', ...pids);
    assert.equal(idle.connections, 50);
    assert.equal(idle.messages, undefined);
    assert.equal(typeof idle.processes[0].rssBytesPerConnection, 'number');

    const visitors = ['--users', '20', '--concurrency', '5', '--pid', edge];
    const handshake = await cleanRun(cluster, 'handshake', ...visitors);
    assert.ok(handshake.handshakes.count > 5);
    assert.equal(handshake.handshakeLatency.join.count, handshake.handshakes.count);

    // What it says is stored is stored.
    const log = await cluster.roomLog(`load-${durable.run}-0`);
    assert.ok(log.some((event) => event.kind === 'messagePosted' && /^load 0 /.test(event.content)));
  },
);

// The edge, and the tool, need a descriptor for each.
const descriptors = Number(/Max open files +(\d+)/.exec(fs.readFileSync('/proc/self/limits', 'utf8'))[1]);
if (descriptors >= 2048) {
  scenario(
    'a room of more members than one request can name is filled before anybody comes',
    {},
    async (cluster) => {
      const idle = await cleanRun(cluster, 'idle', '--connections', '1020');

      assert.equal(idle.connections, 1020);
      const { members } = await cluster.ctlJson('member', 'list', `load-${idle.run}-0`);
      assert.equal(members.length, 1020);
    },
  );
}

scenario('several edges take clients in turn', { processes: 'two' }, async (cluster) => {
  const other = await cluster.addEdge();

  const json = await cleanRun(
    cluster,
    'pairs',
    '--users',
    '10',
    '--url',
    `ws://127.0.0.1:${other.port}`,
    '--concurrency',
    '3',
  );

  assert.equal(json.urls.length, 2);
  for (const edge of [cluster.edge, other.edge])
    assert.ok((await cluster.metric(edge, 'confab_edge_deliveries_total')) > 0);
});

scenario('the report is a page with plots, the table tells the same', {}, async (cluster) => {
  const file = `${cluster.dir}/report.html`;

  const { code, out, err } = await run(cluster, 'pairs', '--users', '4', ...SHORT, '--report', file);

  assert.equal(code, 0, err);
  assert.match(out, /clean: nothing lost, doubled, out of order or missing/);
  assert.match(out, /delivery +\d/);
  assert.match(out, /report: .*report\.html/);
  assert.equal(err, '', 'no progress where no terminal is');
  const html = fs.readFileSync(file, 'utf8');
  assert.match(html, /^<!doctype html>/);
  assert.ok(html.split('<svg ').length > 3, 'plots');
  assert.doesNotMatch(html, /https?:|<script/);
});

scenario(
  'a limit that is hit is named with the option of the edge',
  { edge: { 'rate-sends': '5/5' } },
  async (cluster) => {
    const { code, out } = await run(cluster, 'fanout', '--members', '2', ...SHORT);

    assert.equal(code, 1);
    assert.match(out, /FAULTS: \d+ messages refused/);
    assert.match(out, /RATE_LIMITED: more than 5 messages of a user a second.*--rate-sends off/);
  },
);

scenario('tokens that are not taken end it with 4, nobody there with 3', {}, async (cluster) => {
  const wrong = `${cluster.dir}/wrong.secret`;
  fs.writeFileSync(wrong, 'another-secret-of-more-than-32-bytes');

  const refused = await run(cluster, 'pairs', '--users', '2', '--user-secret-file', wrong, ...SHORT);
  assert.equal(refused.code, 4, refused.err);
  assert.match(refused.err, /--user-secret-file/);
  assert.equal(refused.out, '');

  await cluster.kill(cluster.edge);
  const alone = await run(cluster, 'pairs', '--users', '2', ...SHORT);
  assert.equal(alone.code, 3, alone.err);
  assert.match(alone.err, /cannot be reached.*tools\/up/);
});

scenario('ready tokens of a file load as well', {}, async (cluster) => {
  const file = `${cluster.dir}/tokens`;
  fs.writeFileSync(file, ['ann', 'ben', 'cid', 'dan'].map((user) => cluster.token(user)).join('\n'));

  const json = await cleanRun(cluster, 'pairs', '--users', '4', '--token-file', file);

  const members = await cluster.ctlJson('member', 'list', `load-${json.run}-0`);
  assert.deepEqual(members.members.map((member) => member.userId).sort(), ['ann', 'ben']);
});

scenario('a run of the same name finds its rooms again, with new messages', {}, async (cluster) => {
  const args = ['pairs', '--users', '4', '--run', 'evening_1'];

  const first = await cleanRun(cluster, ...args);
  const { length } = await cluster.roomLog('load-evening_1-1');
  const second = await cleanRun(cluster, ...args);

  assert.equal(first.run, 'evening_1');
  assert.ok(second.messages.acked > 0);
  const log = await cluster.roomLog('load-evening_1-1');
  const later = log.slice(length);
  assert.ok(later.length > 0);
  assert.ok(later.every((event) => event.kind === 'messagePosted'), 'and nobody joined again');
  const { members } = await cluster.ctlJson('member', 'list', 'load-evening_1-1');
  const users = members.map(({ userId }) => userId).sort();
  assert.deepEqual(users, ['load-evening_1-2', 'load-evening_1-3']);
});

scenario('Ctrl-C ends it with a report of what there was, and 130', {}, async (cluster) => {
  const args = ['pairs', '--users', '4', '--warm-up', '0s', '--duration', '1h', '-o', 'json'];
  const { child, ended } = start(cluster, args);
  // Some of the first are messages that are measured, as there is no warm-up.
  const delivered = () => cluster.metric(cluster.edge, 'confab_edge_deliveries_total');
  await until('messages are delivered', async () => (await delivered()) >= 40, LIMIT_MS);

  child.kill('SIGINT');
  const { code, out, err } = await within('its end', LIMIT_MS, ended);

  assert.equal(code, 130, err);
  const json = JSON.parse(out);
  assert.ok(isValid(json), JSON.stringify(isValid.errors));
  assert.equal(json.interrupted, true);
  assert.equal(json.clean, true);
});

scenario('a server that dies is a fault, not the end of the tool', {}, async (cluster) => {
  const args = ['chat', '--users', '4', '--duration', '1h', '--timeout', '1s', '-o', 'json'];
  const { ended } = start(cluster, args);
  const delivered = () => cluster.metric(cluster.edge, 'confab_edge_deliveries_total');
  await until('messages are delivered', async () => (await delivered()) >= 2, LIMIT_MS);

  await cluster.kill(cluster.edge);
  const { code, out, err } = await within('its end', LIMIT_MS, ended);

  assert.equal(code, 1, err);
  assert.equal(JSON.parse(out).faults.disconnected, 4);
});
