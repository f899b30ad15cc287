// server_process.mjs: one process of ours (or PostgreSQL) under a test: start, kill by pid, log.
// The process dies with the test (setpriv --pdeathsig), whatever becomes of the test.
import { spawn } from 'node:child_process';
import fs from 'node:fs';

import { until } from './until.mjs';

const LOG_TAIL_BYTES = 6000; // Enough for the last few dozen lines of a failed process.

// Stops the process and waits until each of its threads has noticed.
export async function freeze(pid) {
  process.kill(pid, 'SIGSTOP');
  const stands = (task) => {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
      return 'TZ'.includes(stat[stat.lastIndexOf(')') + 2]); // Or it had ended, unseen.
    } catch {
      return false; // Gone meanwhile: look again.
    }
  };
  await until(`process ${pid} stands still`, () =>
    fs.readdirSync(`/proc/${pid}/task`).every(stands),
  );
}

const bytesOf = (pid, field) => {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
};

export const residentBytes = (pid) => bytesOf(pid, 'VmRSS');

export const descriptorsOf = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;

// Socket → the addresses of a TCP one (as the kernel writes them), or the path of a Unix one.
function knownSockets() {
  const rows = (file) => fs.readFileSync(`/proc/net/${file}`, 'utf8').trim().split('\n').slice(1);
  const known = new Map();
  for (const file of ['tcp', 'tcp6']) {
    for (const row of rows(file)) {
      const [, local, remote, , , , , , , inode] = row.trim().split(/\s+/);
      known.set(inode, `${file} ${local} ${remote}`);
    }
  }
  for (const row of rows('unix')) {
    const [, , , , , , inode, path = 'without a name'] = row.trim().split(/\s+/);
    known.set(inode, `unix ${path}`);
  }
  return known;
}

// What the process has open: what it is → how often.
export function descriptorKinds(pid) {
  const known = knownSockets();
  const kinds = {};
  for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
    let kind;
    try {
      kind = fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      continue; // Closed meanwhile.
    }
    const [, inode] = /^socket:\[(\d+)\]$/.exec(kind) ?? [];
    if (inode !== undefined) kind = `socket, ${known.get(inode) ?? 'of another kind'}`;
    else if (kind.startsWith('pipe:')) kind = 'pipe';
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

// The most since the process began, or since forgetPeak().
export const peakBytes = (pid) => bytesOf(pid, 'VmHWM');
export const forgetPeak = (pid) => fs.writeFileSync(`/proc/${pid}/clear_refs`, '5');

export class ServerProcess {
  // `command`: [program, ...arguments]; `user`: run as this user (needs root).
  constructor({ name, command, dir, env = {}, user = null, orphanSignal = 'KILL' }) {
    this.name = name;
    this.logFile = `${dir}/${name}.log`;
    const as = user ? ['--reuid', user, '--regid', user, '--init-groups'] : [];
    this.command = ['setpriv', ...as, '--pdeathsig', orphanSignal, '--', ...command];
    this.env = { ...process.env, ...env };
    this.child = null;
  }

  get pid() {
    return this.child?.pid;
  }

  get running() {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  start() {
    const log = fs.openSync(this.logFile, 'a');
    fs.writeSync(log, `--- ${this.command.slice(this.command.indexOf('--') + 1).join(' ')}\n`);
    const [program, ...args] = this.command;
    this.child = spawn(program, args, { env: this.env, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    const child = this.child;
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve({ error }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  // It stands still from now on: sockets stay open, nothing is answered.
  freeze() {
    return freeze(this.pid);
  }

  thaw() {
    process.kill(this.pid, 'SIGCONT');
  }

  // Sends a signal and waits for the end; resolves with {code, signal}.
  async end(signal, ms = 15_000) {
    if (!this.child) return { code: 0, signal: null };
    if (this.running) {
      this.child.kill(signal);
      await until(`${this.name} ends after ${signal}`, () => !this.running, ms);
    }
    return this.exited;
  }

  log() {
    return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8') : '';
  }

  logTail() {
    const text = this.log();
    return text.length > LOG_TAIL_BYTES ? `…${text.slice(-LOG_TAIL_BYTES)}` : text;
  }
}
