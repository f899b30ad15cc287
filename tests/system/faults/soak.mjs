// soak.mjs: an hour of everything at once: clients that send, come and go, a fault each minute, and
// a look at the memory and the descriptors of the first edge and of control.
//
// Memory is judged by its slope (least squares) from the end of the first round of faults on. In
// that round each fault strikes once; those that end one of the two processes come first, so that
// both have met everything else when it ends: what a fault costs for a while is no growth behind
// it. From then on neither is started anew, and the second edge dies in their place. Looked at is
// only what stands when no fault is under way.
import { MemoryWatch } from '../../support/memory_watch.mjs';
import { NativeReader } from '../../support/native_reader.mjs';
import { pause } from '../../support/pause.mjs';
import { randomOf } from '../../support/random.mjs';
import { descriptorKinds } from '../../support/server_process.mjs';
import { until } from '../../support/until.mjs';
import { BACK_MS, since } from './bench.mjs';
import { Churn } from './churn.mjs';
import { FaultOrder } from './soak_faults.mjs';

const MINUTES = { long: 60, short: 4 };
// hangMs: of a link or a process, in the long form beyond the keepalive; awayMs: of the database;
// restMs: behind a fault, before memory is looked at.
const LONG = { everyMs: 60_000, hangMs: 20_000, awayMs: 8_000, restMs: 10_000 };
const SHORT = { everyMs: 8_000, hangMs: 3_000, awayMs: 2_000, restMs: 1_000 };

const MEMBERS = 8;
const CLIENTS = 24;
const STAYERS = 16; // The others come and go; fresh messages are asked for those who stay.
const READERS = 20; // Native; all of them come and go.
const RATE = 150; // Messages a second: what a machine does at its limit is no soak.
const FAULTS_OF_A_PAGE = 5; // Then the books are audited: they lie in memory until then.
const PAGE_ACKS = 100; // At least, or an audit proves nothing.
const MEASURED_FAULTS = 5; // At least, behind the first round.
const LOOK_MS = 2_000;
const GROWTH_MIB = 1; // In ten minutes.
const QUIET_LOOKS = 10; // For descriptors.
const BACK_TO_BASE_MS = 60_000; // Sessions without a client end with their heartbeat.

class Soak {
  constructor(bench) {
    this.bench = bench;
    this.cluster = bench.cluster;
    this.times = bench.isLong ? LONG : SHORT;
    this.minutes = bench.isLong ? MINUTES.long : MINUTES.short;
    this.order = new FaultOrder(bench.random);
    this.faults = 0;
    this.now = 'begins';
    this.calmFrom = Infinity;
  }

  async open() {
    const { bench, cluster } = this;
    this.other = await cluster.addEdge();
    this.far = await cluster.behindProxy();
    const { other, far } = this;
    const load = { clients: CLIENTS, members: MEMBERS, rate: RATE, homes: [far, other] };
    this.run = await bench.load(load);
    const { run } = this;
    this.readers = Array.from({ length: READERS }, (_, i) => {
      const room = run.rooms[i % run.rooms.length];
      const user = run.membersOf.get(room)[i % MEMBERS];
      return new NativeReader([cluster, far, other][i % 3], user, room);
    });
    await Promise.all(this.readers.map((reader) => reader.open()));
    this.stayers = run.clients.slice(0, STAYERS);
    // Numbers of its own: how soon clients come back must not change which fault is next.
    const random = randomOf(bench.seed + 1);
    const clients = run.clients.slice(STAYERS);
    this.churn = new Churn(run, { clients, readers: this.readers, random });
    this.watches = {
      'the edge': new MemoryWatch(cluster.edge),
      control: new MemoryWatch(cluster.control),
    };
    this.began = performance.now();
    this.churn.start();
  }

  // Faults, until the time is over and each has struck.
  async goOn() {
    const least = this.order.firstRound.length + MEASURED_FAULTS;
    while (this.faults < least || since(this.began) < this.minutes * 60_000) {
      await this.#strike();
      const isRoundOver = this.faults === this.order.firstRound.length;
      if (!isRoundOver && this.faults % FAULTS_OF_A_PAGE !== 0) continue;
      await this.#turnPage();
      if (isRoundOver) await this.#beginMeasuring();
      this.run.send();
      this.churn.start();
    }
    await this.#turnPage();
    await this.#measure();
    for (const client of this.run.clients) client.close();
    for (const reader of this.readers) reader.close();
  }

  look() {
    if (performance.now() >= this.calmFrom)
      for (const watch of Object.values(this.watches)) watch.sample();
    const minute = (since(this.began) / 60_000).toFixed(1);
    const memory = Object.entries(this.watches)
      .map(([name, { mib }]) => `${name} ${mib.toFixed(1)} MiB`)
      .join(', ');
    const { acks } = this.run;
    this.bench.progress(
      `minute ${minute} of ${this.minutes}: ${acks} acked, ${memory}, ${this.now}`,
    );
  }

  async #strike() {
    const { bench, cluster, run, times } = this;
    const fault = this.order.next();
    const start = performance.now();
    this.now = `fault ${++this.faults}: ${fault.name}`;
    this.calmFrom = Infinity;
    const again = await fault.strike({ cluster, other: this.other, far: this.far, ...times });
    const ready = again ? cluster.awaitReady(again) : null;
    const [ms] = await Promise.all([run.live(run.patienceMs, this.stayers), ready]);
    this.calmFrom = performance.now() + times.restMs;
    bench.say(`${this.now}; fresh messages after ${Math.round(ms)} ms`);
    bench.longest('fresh messages for everybody after a fault', ms, BACK_MS);
    await pause(Math.max(0, times.everyMs - since(start)));
  }

  // All are back, nobody sends any more, and the books are audited.
  async #turnPage() {
    const { bench, run, churn, readers } = this;
    await run.acked(PAGE_ACKS);
    this.now = 'the books are audited';
    this.calmFrom = Infinity;
    await churn.stop();
    await bench.turnPage(run);
    const behind = () => readers.filter(({ room, position }) => position < run.end(room));
    await until(
      'every native reader has everything',
      () => behind().length === 0,
      run.patienceMs,
      () => `behind: ${behind().map(({ user, room }) => `${user}/${room}`).join(', ')}`,
    );
    const [faulty] = readers.filter(({ faults }) => faults.length > 0);
    if (faulty) throw new Error(`${faulty.user} in ${faulty.room}: ${faulty.faults.slice(0, 3)}`);
  }

  async #beginMeasuring() {
    this.base = await this.#descriptors();
    this.baseKinds = {};
    for (const [name, { server }] of Object.entries(this.watches))
      this.baseKinds[name] = descriptorKinds(server.pid);
    for (const watch of Object.values(this.watches)) watch.begin();
    this.bench.say('every fault has struck: memory is watched from here on');
  }

  // Descriptors beside those of clients and of the database, whose connections come and go with the
  // work; as a few looks have it in the middle, for some are just being closed.
  async #descriptors() {
    const looks = [];
    for (let look = 0; look < QUIET_LOOKS; ++look) {
      looks.push(await this.#descriptorsNow());
      await pause(LOOK_MS / QUIET_LOOKS);
    }
    const middle = (name) => looks.map((one) => one[name]).sort((a, b) => a - b)[QUIET_LOOKS / 2];
    return Object.fromEntries(Object.keys(this.watches).map((name) => [name, middle(name)]));
  }

  async #descriptorsNow() {
    const { cluster, watches } = this;
    const clients = await cluster.metric(cluster.edge, 'confab_edge_connections');
    await cluster.metric(cluster.control, 'confab_control_edges'); // Asking takes one there too.
    const sessions = cluster.postgres.sql(
      "select count(*) from pg_stat_activity where backend_type = 'client backend' " +
        'and pid <> pg_backend_pid()',
    );
    return {
      'the edge': watches['the edge'].descriptors - clients,
      control: watches.control.descriptors - Number(sessions),
    };
  }

  async #measure() {
    const { bench, watches, base, readers, run } = this;
    let now = await this.#descriptors();
    const names = Object.keys(watches);
    const deadline = performance.now() + BACK_TO_BASE_MS;
    while (names.some((name) => now[name] > base[name]) && performance.now() < deadline)
      now = await this.#descriptors();
    bench.figure('faults', this.faults, { unit: '' });
    bench.figure('clients that went and came back', this.churn.moves, { unit: 'times' });
    const lost = readers.reduce((sum, { losses }) => sum + losses, run.losses);
    bench.figure('connections lost', lost, { unit: '' });
    for (const name of names) {
      const watch = watches[name];
      if (!watch.isSame) throw new Error(`${name} was started anew while it was watched`);
      bench.say(`${watch.points.length} looks at the memory of ${name}`);
      bench.figure(`growth of ${name}`, Number(watch.growth.toFixed(2)), {
        unit: 'MiB in ten minutes',
        // A few minutes tell no growth from a moment's use.
        atMost: bench.isLong ? GROWTH_MIB : Infinity,
      });
      bench.figure(`memory of ${name}`, Number(watch.mib.toFixed(1)), { unit: 'MiB' });
      if (now[name] > base[name]) {
        const sessions = this.cluster.postgres.sql('select pid, state, query from pg_stat_activity');
        bench.say(`open in ${name}: ${JSON.stringify(descriptorKinds(watch.server.pid))}`);
        bench.say(`at the base: ${JSON.stringify(this.baseKinds[name])}; sessions: ${sessions}`);
      }
      bench.figure(`descriptors of ${name} more than before`, now[name] - base[name], {
        unit: '',
        atMost: 0,
      });
    }
  }
}

async function anHour(bench) {
  const soak = new Soak(bench);
  await soak.open();
  const timer = setInterval(() => soak.look(), LOOK_MS);
  try {
    await soak.goOn();
  } finally {
    clearInterval(timer);
  }
}

export const soaks = [
  {
    name: 'soak',
    fault: 'an hour of load, clients that come and go, and a fault a minute of all the others',
    holds:
      'five zeros; edge and control grow by less than 1 MiB in ten minutes, descriptors back to ' +
      'base; live within 10 s of each fault',
    minutes: MINUTES,
    cluster: {
      processes: 'two',
      store: 'postgres',
      hasLinkProxy: true,
      tokenHours: 24,
      control: { 'presence-settle': '0s' },
    },
    run: anHour,
  },
];
