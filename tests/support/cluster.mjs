// cluster.mjs: the real binaries for one test: `confab`, or `confab-edge` and `confab-control`, on
// free ports, with a directory, secrets and a store of their own. Ends what it started, by pid.
import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { FaultProxy } from './fault_proxy.mjs';
import { Postgres } from './postgres.mjs';
import { ServerProcess } from './server_process.mjs';
import { mint } from './tokens.mjs';
import { until } from './until.mjs';

// How much of a full run this one does: sanitizers make everything several times slower.
export const scale = Number(process.env.CONFAB_TEST_SCALE ?? 1);
export const scaled = (count, least = 1) => Math.max(least, Math.round(count * scale));

const READY_MS = 30_000; // A sanitizer build on two busy cores starts in a few seconds.
// Nor one on the sockets of a user: two or three users play a hundred clients.
const NO_RATE_LIMITS = {
  'rate-sends': 'off',
  'rate-frames': 'off',
  'rate-joins': 'off',
  'rate-accepts': 'off',
  'connections-per-user': 'off',
};

// No test waits for the end of its own servers.
const NO_DRAIN = { 'drain-time': '0s' };

// Clients hear only of what a test is about.
const NO_PRESENCE = { 'presence-settle': '1h' };

const here = path.dirname(fileURLToPath(import.meta.url));
export const binDir = process.env.CONFAB_BIN_DIR ?? path.resolve(here, '../../build/ci/bin');

const picked = new Set(); // Whoever has one may not listen there yet.

// A port that is free now and that the system gives to nobody by itself, so that a process that
// is killed finds it free again. None is given twice.
export async function pickPort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (picked.has(port)) continue;
    picked.add(port);
    const free = await new Promise((resolve) => {
      const server = net.createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

const flagsOf = (flags) =>
  Object.entries(flags)
    .filter(([, value]) => value !== null)
    .flatMap(([name, value]) => [`--${name}`, String(value)]);

export class Cluster {
  // processes: 'one' (confab) or 'two' (confab-edge, confab-control); store: 'sqlite' or
  // 'postgres'; edge, control: further flags, null for none; database: PostgreSQL's settings;
  // hasLinkProxy: edges reach control over TCP and through `linkProxy`; disk: the store lies on a file
  // system of its own of this size ("64m", needs root).
  // tokenHours: how long users' tokens are good. Rate limits are off, presence is not told and an edge
  // ends without a drain unless a flag says otherwise.
  constructor({
    processes = process.env.CONFAB_TEST_PROCESSES ?? 'one',
    store = 'sqlite',
    edge = {},
    control = {},
    database = {},
    hasLinkProxy = false,
    disk = null,
    tokenHours = 1,
  } = {}) {
    this.processes = processes;
    this.tokenHours = tokenHours;
    this.hasLinkProxy = hasLinkProxy;
    this.store = store;
    this.edgeFlags = { ...NO_RATE_LIMITS, ...NO_DRAIN, ...edge };
    this.controlFlags = { ...NO_PRESENCE, ...control };
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'confab-test-'));
    fs.chmodSync(this.dir, 0o711); // PostgreSQL may run as another user.
    this.userSecret = 'user-secret-of-more-than-32-bytes-for-tests';
    this.serviceSecret = 'service-secret-of-more-than-32-bytes-for-tests';
    fs.writeFileSync(`${this.dir}/user.secret`, `${this.userSecret}\n`, { mode: 0o600 });
    fs.writeFileSync(`${this.dir}/service.secret`, `${this.serviceSecret}\n`, { mode: 0o600 });
    this.postgres = store === 'postgres' ? new Postgres(this.dir, database) : null;
    this.ca = undefined; // Who signs the public port's certificate; without one it has no TLS.
    this.diskDir = disk ? this.#mount(disk) : null;
    this.closing = []; // What to run first when the cluster stops: clients' close().
  }

  get storeUrl() {
    return this.postgres ? this.postgres.url : `sqlite:${this.sqliteFile}`;
  }

  get sqliteFile() {
    return `${this.diskDir ?? this.dir}/confab.db`;
  }

  // Where clients connect.
  get url() {
    return `${this.ca ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  async start() {
    await this.prepare();
    return this.startAll();
  }

  // REQUIRES: prepare(), and nothing is started.
  async startAll() {
    if (this.postgres) await this.postgres.start();
    if (this.postgres && this.diskDir) this.postgres.moveTo(this.diskDir);
    for (const server of this.servers) server.start();
    for (const server of this.servers) await this.awaitReady(server);
    return this;
  }

  // Makes the server objects without starting anything. `control`: where it listens.
  async prepare({ control: address } = {}) {
    this.port = await pickPort();
    const grpc = ['a', 'b'].map((name) => `unix:${this.dir}/control-${name}.sock`);
    if (address) grpc[0] = address;
    if (this.hasLinkProxy) {
      const port = await pickPort();
      grpc[0] = `127.0.0.1:${port}`;
      this.linkProxy = await this.#proxyBefore(port);
    }
    const serviceSecret = { 'service-secret-file': `${this.dir}/service.secret` };
    const edge = {
      listen: `127.0.0.1:${this.port}`,
      'user-secret-file': `${this.dir}/user.secret`,
      ...serviceSecret,
      ...this.edgeFlags,
    };
    const control = { store: this.storeUrl, ...serviceSecret, ...this.controlFlags };
    if (this.processes === 'one') {
      const flags = { ...edge, ...control, 'control-listen': grpc[0] };
      this.edge = this.#server('confab', 'confab', flags);
      this.servers = [this.edge];
    } else {
      this.control = this.#server('confab-control', 'control-a', {
        ...control,
        'control-listen': grpc[0],
      });
      // Started by who wants one. It writes no ready file until it serves, so its port is chosen.
      const ops = `127.0.0.1:${await pickPort()}`;
      this.standby = this.#server('confab-control', 'control-b', {
        ...control,
        'control-listen': grpc[1],
        'ops-listen': ops,
      });
      this.standby.ready = { ops, control: grpc[1] };
      this.edgeSettings = { ...edge, control: this.linkProxy?.address ?? grpc.join(',') };
      this.edge = this.#server('confab-edge', 'edge', this.edgeSettings);
      this.servers = [this.control, this.edge];
    }
    this.ctlEnv = {
      CONFAB_CONTROL: grpc[0],
      CONFAB_SERVICE_SECRET_FILE: `${this.dir}/service.secret`,
      CONFAB_USER_SECRET_FILE: `${this.dir}/user.secret`,
    };
  }

  // One more edge of the same control, ready: this cluster as clients see it that connect there.
  // REQUIRES: two processes.
  async addEdge(name = 'edge-b') {
    const port = await pickPort();
    const edge = this.#server('confab-edge', name, {
      ...this.edgeSettings,
      listen: `127.0.0.1:${port}`,
      'edge-id': name,
    });
    edge.start();
    this.servers.push(edge);
    await this.awaitReady(edge);
    return Object.create(this, { port: { value: port }, edge: { value: edge } });
  }

  // This cluster as clients see it that connect through `proxy`, which is added.
  async behindProxy() {
    const proxy = await this.#proxyBefore(this.port);
    return Object.create(this, { port: { value: proxy.port }, proxy: { value: proxy } });
  }

  async #proxyBefore(port) {
    const proxy = await FaultProxy.before({ port, host: '127.0.0.1' });
    this.closing.push(() => proxy.close());
    return proxy;
  }

  #mount(size) {
    const dir = `${this.dir}/disk`;
    fs.mkdirSync(dir);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'confab-test', dir]);
    return dir;
  }

  // Nothing more can be written to the store's file system, until emptyDisk().
  fillDisk() {
    const file = fs.openSync(`${this.diskDir}/filler`, 'w');
    try {
      for (let piece = 1 << 20; piece > 0; piece >>= 1) {
        const zeros = Buffer.alloc(piece);
        try {
          for (;;) fs.writeSync(file, zeros);
        } catch (error) {
          if (error.code !== 'ENOSPC') throw error;
        }
      }
    } finally {
      fs.closeSync(file);
    }
  }

  emptyDisk() {
    fs.rmSync(`${this.diskDir}/filler`);
  }

  // kill -9 and gone.
  async kill(server) {
    await server.end('SIGKILL');
  }

  async restart(server) {
    server.start();
    await this.awaitReady(server);
  }

  // The same, and /readyz says yes.
  async awaitReady(server) {
    await this.awaitStarted(server);
    const ready = async () => server.running && (await this.readyz(server)).ok;
    await until(`${server.name} is ready`, ready, READY_MS);
  }

  // Its ready file stands, written by this very process.
  async awaitStarted(server) {
    const started = () => {
      if (!server.running) throw new Error(`${server.name} ended at its start`);
      // A process that starts takes away the file of its forerunner.
      server.ready = readJson(server.readyFile) ?? {};
      return server.ready.pid === server.pid;
    };
    await until(`${server.name} has started`, started, READY_MS);
  }

  // The answer of the ops listener: {ok, status, text}.
  async ops(server, route) {
    try {
      const response = await fetch(`http://${server.ready.ops}${route}`);
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch (error) {
      return { ok: false, status: 0, text: String(error) };
    }
  }

  readyz(server) {
    return this.ops(server, '/readyz?verbose');
  }

  // A metric's value, summed over its labels; NaN, which equals nothing, if the server says none.
  async metric(server, name) {
    const { status, text } = await this.ops(server, '/metrics');
    if (status !== 200) return NaN;
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  // Runs confabctl; resolves with {code, out, err}.
  ctlRaw(args, input = '') {
    return new Promise((resolve) => {
      const env = { ...process.env, ...this.ctlEnv };
      const child = execFile(
        `${binDir}/confabctl`,
        [...args, '--timeout', '30s'],
        { env, maxBuffer: 1 << 28, timeout: 60_000 },
        (error, out, err) => resolve({ code: error ? (error.code ?? error.signal) : 0, out, err }),
      );
      child.stdin.on('error', () => {}); // It may have ended already, without reading.
      child.stdin.end(input);
    });
  }

  // confabctl as a process that goes on; its output in lines as they come, its exit code in `ended`.
  ctlProcess(...args) {
    const lines = [];
    const child = spawn(`${binDir}/confabctl`, args, { env: { ...process.env, ...this.ctlEnv } });
    let rest = '';
    child.stdout.on('data', (data) => {
      const parts = (rest + data).split('\n');
      rest = parts.pop();
      lines.push(...parts);
    });
    child.stderr.on('data', (data) => lines.push(`(stderr) ${data}`));
    const ended = new Promise((resolve) => child.on('close', resolve));
    this.closing.push(() => child.kill('SIGTERM'));
    return { child, lines, ended };
  }

  // Runs confabctl; its output, an error unless it succeeds.
  async ctl(...args) {
    const { code, out, err } = await this.ctlRaw(args);
    if (code !== 0) throw new Error(`confabctl ${args.join(' ')}: exit ${code}\n${err}${out}`);
    return out;
  }

  async ctlJson(...args) {
    const out = await this.ctl(...args, '-o', 'json');
    return JSON.parse(out);
  }

  createRoom(room, members) {
    return this.ctl('room', 'create', room, '--members', members.join(','));
  }

  // The log of a room behind `from` as the store has it, each event as eventOfJson gives it.
  async roomLog(room, from = 0) {
    const log = [];
    for (let more = true; more;) {
      const after = String(log.at(-1)?.seq ?? from);
      const page = await this.ctlJson(
        'message',
        'list',
        room,
        '--after',
        after,
        '--limit',
        '10000',
      );
      log.push(...(page.events ?? []).map(eventOfJson));
      more = page.more === true;
    }
    return log;
  }

  token(user, claims) {
    const exp = Math.floor(Date.now() / 1_000) + this.tokenHours * 3_600;
    return mint(this.userSecret, user, { exp, ...claims });
  }

  #server(binary, name, flags) {
    const readyFile = `${this.dir}/${name}.ready`;
    const all = { 'ops-listen': '127.0.0.1:0', ...flags, 'ready-file': readyFile };
    const command = [`${binDir}/${binary}`, ...flagsOf(all)];
    const server = new ServerProcess({ name, dir: this.dir, command });
    server.readyFile = readyFile;
    return server;
  }

  // Ends clients, then servers: TERM must end each with exit code 0.
  async stop({ keep = false } = {}) {
    for (const close of this.closing) await close();
    const bad = [];
    for (const server of [this.standby, ...(this.servers ?? [])].reverse()) {
      if (!server?.running) continue;
      const { code, signal } = await server
        .end('SIGTERM')
        .catch((error) => ({ code: String(error) }));
      if (code !== 0)
        bad.push(`${server.name}: exit ${code ?? signal} after TERM\n${server.logTail()}`);
      if (server.running) await server.end('SIGKILL');
    }
    if (this.postgres?.server.running) await this.postgres.stop();
    if (this.diskDir) execFileSync('umount', [this.diskDir]);
    if (!keep && bad.length === 0) fs.rmSync(this.dir, { recursive: true, force: true });
    if (bad.length > 0) throw new Error(bad.join('\n'));
  }

  // What a failed test shows of the servers.
  describe() {
    const parts = [...(this.servers ?? []), this.standby]
      .filter((server) => server?.log())
      .map((server) => `--- ${server.name}: ${server.logFile}\n${server.logTail()}`);
    return [`files kept in ${this.dir}`, ...parts].join('\n');
  }
}

// An event in proto3 JSON, flattened.
export function eventOfJson(event) {
  const message = event.messagePosted;
  const kind = Object.keys(event).find(
    (key) => /^(message|member|room)[A-Z]\w+$/.test(key) && key !== 'roomId',
  );
  return {
    seq: Number(event.seq),
    kind,
    user: event[kind]?.userId,
    messageId: message?.messageId ?? '',
    sender: event.actor?.id ?? '',
    clientMsgId: message?.clientMsgId ?? '',
    type: message?.type,
    content: message?.content ?? '',
  };
}
