// postgres.mjs: a throw-away PostgreSQL 15 for one test: own data directory, Unix socket only.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

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

export class Postgres {
  // PostgreSQL refuses to run as root; then it runs as the packaged user.
  constructor(dir) {
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
        '-c',
        'shared_buffers=32MB',
        '-c',
        'max_connections=60',
      ],
    });
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

  // INT: connections are cut, data are flushed.
  async stop() {
    this.thaw();
    await this.server.end('SIGINT', START_MS);
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

  sql(text, database = 'confab') {
    return this.#run('psql', [
      '-h',
      this.dir,
      '-p',
      '5432',
      '-U',
      'confab',
      '-d',
      database,
      '-Atqc',
      text,
    ]);
  }

  #accepts() {
    try {
      this.#run('pg_isready', ['-q', '-h', this.dir, '-p', '5432']);
      return true;
    } catch {
      return false;
    }
  }

  #run(program, args) {
    const as = this.user ? ['--reuid', this.user, '--regid', this.user, '--init-groups'] : [];
    return execFileSync('setpriv', [...as, '--', `${this.bin}/${program}`, ...args], {
      encoding: 'utf8',
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}
