// memory_watch.mjs: the memory and the descriptors of one server over a long time. A server that is
// started anew begins a new series: what a process has at its start says nothing about growth.
import { descriptorsOf, residentBytes } from './server_process.mjs';
import { slopeOf } from './trend.mjs';

const MIB = 1024 * 1024;
const TEN_MINUTES_MS = 600_000;

export class MemoryWatch {
  // `read`: pid → bytes.
  constructor(server, { read = residentBytes, now = () => performance.now() } = {}) {
    this.server = server;
    this.read = read;
    this.now = now;
    this.begin();
  }

  // The series begins here.
  begin() {
    this.pid = this.server.pid;
    this.points = []; // [ms, MiB]
  }

  // Of this moment; NaN while there is no process.
  get mib() {
    try {
      return this.server.running ? this.read(this.server.pid) / MIB : NaN;
    } catch {
      return NaN; // It has ended, and we have not heard of it yet.
    }
  }

  get descriptors() {
    return descriptorsOf(this.server.pid);
  }

  // The process is still the one the series began with.
  get isSame() {
    return this.server.running && this.server.pid === this.pid;
  }

  sample() {
    const { mib } = this;
    if (Number.isNaN(mib)) return;
    if (!this.isSame) this.begin();
    this.points.push([this.now(), mib]);
  }

  // MiB in ten minutes.
  get growth() {
    return slopeOf(this.points) * TEN_MINUTES_MS;
  }
}
