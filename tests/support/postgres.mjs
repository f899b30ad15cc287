// postgres.mjs: a throw-away PostgreSQL 15 for one test: own data directory, Unix socket only.
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { freeze, ServerProcess } from './server_process.mjs';
import { until } from './until.mjs';

const START_MS = 30_000; // Two shared cores, initdb of another test beside it.

function programDir() {
  if (process.env.CONFAB_PG_BIN) return process.env.CONFAB_PG_BIN;
  const root = '/usr/lib/postgresql';
  const versions = fs.existsSync(root) ? fs.readdirSync(root).sort((a, b) => b - a) : [];
  for (const version of versions) {
    if (fs.existsSync(`${root}/${version}/bin/initdb`)) return `${root}/${version}/bin`;
  }
  throw new Error('no PostgreSQL here: install the package postgresql-15, or set CONFAB_PG_BIN');
}

function childrenOf(pid) {
  return fs
    .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
}

// Nobody may be there to bury it.
function isGone(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return 'ZX'.includes(stat[stat.lastIndexOf(')') + 2]);
  } catch {
    return true;
  }
}

// For tests, of which several run at a time. All else is as PostgreSQL has it by itself: it syncs.
const SETTINGS = { shared_buffers: '32MB', max_connections: 60 };

export class Postgres {
  // PostgreSQL refuses to run as root; then it runs as the packaged user. `settings`: further ones.
  constructor(dir, settings = {}) {
    this.bin = programDir();
    this.dir = `${dir}/pg`;
    this.user = process.getuid() === 0 ? 'postgres' : null;
    this.url = `postgresql://confab@/confab?host=${encodeURIComponent(this.dir)}&port=5432`;
    this.server = new ServerProcess({
      name: 'postgres',
      dir,
      user: this.user,
      orphanSignal: 'INT',
      command: [
        `${this.bin}/postgres`,
        '-D',
        `${this.dir}/data`,
        '-k',
        this.dir,
        '-h',
        '',
        '-p',
        '5432',
        ...Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => [
          '-c',
          `${name}=${value}`,
        ]),
      ],
    });
  }

  // "PostgreSQL 15.20"
  get version() {
    const text = execFileSync(`${this.bin}/postgres`, ['--version'], { encoding: 'utf8' });
    return `PostgreSQL ${/\d[.\d]*/.exec(text)[0]}`;
  }

  create() {
    fs.mkdirSync(this.dir);
    if (this.user) execFileSync('chown', [`${this.user}:`, this.dir]);
    this.#run('initdb', [
      '-A',
      'trust',
      '-U',
      'confab',
      '-E',
      'UTF8',
      '--no-locale',
      '-N',
      '-D',
      `${this.dir}/data`,
    ]);
  }

  async start() {
    if (!fs.existsSync(`${this.dir}/data`)) this.create();
    this.server.start();
    await until(
      'PostgreSQL accepts connections',
      () => {
        if (!this.server.running) throw new Error(`PostgreSQL ended:\n${this.server.logTail()}`);
        return this.#accepts();
      },
      START_MS,
    );
    const found = this.sql(
      "select count(*) from pg_database where datname = 'confab'",
      'postgres',
    ).trim();
    if (found === '0') this.sql('create database confab', 'postgres');
  }

  // INT: connections are cut, data are flushed ("fast"). QUIT: at once, as if it had crashed
  // ("immediate").
  async stop(signal = 'SIGINT') {
    this.thaw();
    await this.server.end(signal, START_MS);
  }

  // All of the server's processes stand still: their connections stay open, nothing is answered.
  async freeze() {
    const { pid } = this.server;
    await freeze(pid); // First: from then on it starts no more, and buries none that ends.
    this.frozen = [...childrenOf(pid), pid];
    for (const child of this.frozen.slice(0, -1)) await freeze(child);
  }

  thaw() {
    for (const pid of this.frozen ?? []) process.kill(pid, 'SIGCONT'); // The server itself last.
    this.frozen = null;
  }

  // All of them are killed in one moment: a crash, or a cut of power.
  async die() {
    await this.freeze();
    for (const pid of this.frozen) process.kill(pid, 'SIGKILL');
    await until(
      'PostgreSQL is dead',
      () => !this.server.running && this.frozen.every(isGone),
      START_MS,
    );
    this.frozen = null;
  }

  sql(text, database = 'confab') {
    return this.#run('psql', [...this.#to(database), '-c', text]);
  }

  // What is made from now on lies in this directory. REQUIRES: nothing is made yet.
  moveTo(dir) {
    if (this.user) execFileSync('chown', [`${this.user}:`, dir]);
    this.sql(`create tablespace elsewhere location '${dir}'`);
    this.sql('alter database confab set default_tablespace = elsewhere');
  }

  // A session of its own that runs this and stays until the text is through; it ends with end().
  session(name, text) {
    const session = new ServerProcess({
      name,
      dir: path.dirname(this.dir),
      user: this.user,
      command: [`${this.bin}/psql`, ...this.#to('confab'), '-c', text],
    });
    session.start();
    return session;
  }

  #to(database) {
    return ['-h', this.dir, '-p', '5432', '-U', 'confab', '-d', database, '-Atq'];
  }

  // Not in this thread's time: clients under load go on meanwhile.
  #accepts() {
    const [program, ...args] = this.#command('pg_isready', ['-q', '-h', this.dir, '-p', '5432']);
    return new Promise((resolve) => {
      execFile(program, args, { cwd: '/' }, (error) => resolve(error === null));
    });
  }

  #command(program, args) {
    const as = this.user ? ['--reuid', this.user, '--regid', this.user, '--init-groups'] : [];
    return ['setpriv', ...as, '--', `${this.bin}/${program}`, ...args];
  }

  #run(program, args) {
    const [first, ...rest] = this.#command(program, args);
    return execFileSync(first, rest, {
      encoding: 'utf8',
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

const OCCUPANT = 'confab-occupant'; // Its name among the sessions.
const SEIZE_MS = 2; // How often it is tried: sooner than who waits to connect again.

// Takes every free connection of the server, and each that becomes free, until release().
export class Occupation {
  constructor(postgres) {
    this.postgres = postgres;
    this.sessions = new Set();
    this.isFull = false; // The last attempt was refused.
    this.timer = setInterval(() => this.#seize(), SEIZE_MS);
  }

  // Ends the sessions of everybody else.
  cutOthers() {
    this.#query(
      'select pg_terminate_backend(pid) from pg_stat_activity ' +
        `where backend_type = 'client backend' and application_name <> '${OCCUPANT}'`,
    );
  }

  release() {
    clearInterval(this.timer);
    for (const session of this.sessions) session.destroy();
  }

  #seize() {
    const session = net.connect({ path: `${this.postgres.dir}/.s.PGSQL.5432` });
    session.on('error', () => {});
    session.on('close', () => this.sessions.delete(session));
    session.once('data', (answer) => {
      this.isFull = answer[0] === 'E'.charCodeAt(0);
      if (!this.isFull) this.sessions.add(session);
      session.resume();
    });
    const words = ['user', 'confab', 'database', 'confab', 'application_name', OCCUPANT];
    const body = Buffer.from(`${words.join('\0')}\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(head.length + body.length);
    head.writeInt32BE(3 << 16, 4); // The protocol's version.
    session.write(Buffer.concat([head, body]));
  }

  #query(text) {
    const head = Buffer.from('Q\0\0\0\0');
    head.writeInt32BE(4 + text.length + 1, 1);
    const [session] = this.sessions;
    session.write(Buffer.concat([head, Buffer.from(`${text}\0`)]));
  }
}
