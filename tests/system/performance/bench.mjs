// bench.mjs: what a row of tools/performance works with: servers as people run them, loads, and
// what they took.
import { spawn } from 'node:child_process';

import { Cluster } from '../../support/cluster.mjs';
import { until } from '../../support/until.mjs';
import { binDir, floorProgram } from './programs.mjs';

// No limits, since a load is one host's; all else as it comes. An end without a drain is behind all
// that is measured.
const AS_IT_COMES = {
  edge: { 'connections-per-user': null },
  control: { 'presence-settle': null },
};
// What a database for this is given at least; durable as it comes.
const DATABASE = { shared_buffers: '512MB' };

const SETUP = '240s'; // To make rooms of 20,000 members, and to open as many connections.
const FLOOR_SENDS = 500_000; // About a second of one core.
const HELD_ROOM = 1_000; // Members that one request can name.
const HOLD_MS = 240_000;

export class Bench {
  constructor({ runs, isShort }) {
    this.runs = runs;
    this.isShort = isShort;
    this.figures = {}; // Name → [{x, values}]
    this.commands = []; // Of the load tool, as they would be typed.
    this.loadCores = 0; // The most that the load tool took itself.
    this.version = '';
    this.database = '';
    this.ending = [];
  }

  // Of the two the one for this form.
  pick(long, short) {
    return this.isShort ? short : long;
  }

  say(text) {
    console.log(`  ${new Date().toISOString().slice(11, 19)} ${text}`);
  }

  // How it goes on, until the next one.
  progress(text) {
    console.log(`~ ${text}`);
  }

  // A value of a figure; `x`: the size at which it was measured.
  add(name, value, x = null) {
    if (!Number.isFinite(value)) throw new Error(`${name} is no number: ${value}`);
    const points = (this.figures[name] ??= []);
    let point = points.find((one) => one.x === x);
    if (!point) points.push((point = { x, values: [] }));
    point.values.push(value);
    this.say(`${name}${x === null ? '' : ` at ${x}`}: ${Number(value.toPrecision(4))}`);
  }

  // body(number of the run), one run behind the other.
  async eachRun(body) {
    for (let run = 1; run <= this.runs; ++run) {
      this.run = run;
      await body(run);
    }
  }

  // body(cluster) with servers that are started for it and ended behind it. By default edge and
  // control, PostgreSQL behind them.
  async withCluster(options, body) {
    this.progress('starts servers');
    const cluster = new Cluster({
      processes: 'two',
      store: 'postgres',
      ...AS_IT_COMES,
      database: DATABASE,
      ...options,
    });
    this.ending.push(cluster);
    if (cluster.postgres) this.database = cluster.postgres.version;
    await cluster.start();
    await body(cluster);
    this.ending.pop();
    await cluster.stop();
  }

  // Whatever still runs ends, and leaves nothing behind.
  async end() {
    for (const cluster of this.ending.splice(0)) await cluster.stop().catch(() => {});
  }

  // A clean run of confab-loadgen: what it says, as docs/loadgen.schema.json describes it.
  // `options`: its own, by name; `seconds` and `warmUp` are those of the long form. `edges`: the
  // cluster as clients see it, in turn.
  async load(cluster, scenario, options = {}, { edges = [cluster] } = {}) {
    const { seconds = 10, warmUp = 2, ...rest } = options;
    const flags = {
      ...rest,
      'warm-up': this.pick(`${warmUp}s`, '200ms'),
      duration: this.pick(`${seconds}s`, '1s'),
      'setup-time': SETUP,
    };
    const typed = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const command = ['confab-loadgen', scenario, ...typed].join(' ');
    if (!this.commands.includes(command)) this.commands.push(command);
    this.progress(`run ${this.run ?? 1} of ${this.runs}: ${command}`);
    const args = [
      scenario,
      ...typed,
      ...edges.flatMap(({ port }) => ['--url', `ws://127.0.0.1:${port}`]),
      ...pidsOf(cluster).flatMap(([name, pid]) => ['--pid', `${name}=${pid}`]),
      ...['--user-secret-file', `${cluster.dir}/user.secret`, '-o', 'json'],
    ];
    const { code, out, err } = await this.#ran(`${binDir}/confab-loadgen`, args);
    if (code !== 0) throw new Error(`${command}: exit ${code}: ${err || faultsOf(out)}`);
    const found = JSON.parse(out);
    this.version = found.version;
    this.loadCores = Math.max(this.loadCores, found.own.cores);
    return found;
  }

  // Connections of other users that are idle from now on, until release(), which is given.
  async hold(cluster, connections) {
    this.progress(`opens ${connections} idle connections`);
    const open = () => cluster.metric(cluster.edge, 'confab_edge_connections');
    const rooms = Math.ceil(connections / HELD_ROOM);
    const flags = { connections, rooms, duration: '1h', 'setup-time': SETUP };
    const typed = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const where = ['--url', `ws://127.0.0.1:${cluster.port}`];
    const secret = ['--user-secret-file', `${cluster.dir}/user.secret`, '-o', 'json'];
    const child = this.spawn(`${binDir}/confab-loadgen`, ['idle', ...typed, ...where, ...secret]);
    child.stdout.resume();
    let err = '';
    child.stderr.on('data', (data) => (err += data));
    const ended = new Promise((resolve) => child.once('close', resolve));
    const areOpen = async () => {
      if (child.exitCode !== null) throw new Error(`confab-loadgen idle: ${err}`);
      return (await open()) >= connections;
    };
    await until('idle connections are open', areOpen, HOLD_MS);
    return async () => {
      child.kill('SIGINT');
      await ended;
      await until('idle connections are closed', async () => (await open()) === 0, HOLD_MS);
    };
  }

  // CPU seconds that a million bare sends take, each to one of so many sockets.
  async floor(sockets) {
    const messages = Math.ceil(this.pick(FLOOR_SENDS, FLOOR_SENDS / 20) / sockets);
    this.progress(`run ${this.run} of ${this.runs}: bare sends to ${sockets} sockets`);
    const args = ['--sockets', sockets, '--messages', messages].map(String);
    const { code, out, err } = await this.#ran(floorProgram(), args);
    if (code !== 0) throw new Error(`send_floor ${args.join(' ')}: exit ${code}: ${err}`);
    return JSON.parse(out).cpuSecondsPerMillion;
  }

  // A process that ends with us.
  spawn(program, args) {
    return spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  #ran(program, args) {
    const child = this.spawn(program, args);
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code: code ?? signal, out, err }));
    });
  }
}

function pidsOf({ processes, edge, servers, control, postgres }) {
  if (processes === 'one') return [['confab', edge.pid]];
  const edges = servers.filter(({ name }) => name.startsWith('edge'));
  return [
    ...edges.map(({ name, pid }) => [name, pid]),
    ['control', control.pid],
    ...(postgres ? [['postgres', postgres.server.pid]] : []),
  ];
}

function faultsOf(out) {
  try {
    const { faults, refusals } = JSON.parse(out);
    const found = Object.entries(faults).filter(([, count]) => count > 0);
    const said = Object.entries(refusals).map(([reason, { example }]) => `${reason}: ${example}`);
    return [...found.map(([name, count]) => `${count} ${name}`), ...said].join('; ');
  } catch {
    return out.slice(0, 500);
  }
}

// What one of the processes took by unit of work, as the load tool names it.
export function costOf(found, process, unit) {
  const one =
    process === 'all' ? found.allProcesses : found.processes.find(({ name }) => name === process);
  return one?.[unit] ?? NaN;
}
