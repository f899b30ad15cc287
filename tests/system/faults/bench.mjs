// bench.mjs: what a row of the fault bench works with: load with a ledger, figures with limits.
import assert from 'node:assert/strict';

import { scaled } from '../../support/cluster.mjs';
import { randomOf } from '../../support/random.mjs';
import { Samples } from '../../support/samples.mjs';
import { LoadRun } from '../load_run.mjs';

// What the table of faults is measured under; with fewer rooms a short form is sooner at its fault.
const LOAD = { clients: 20, members: 8, rate: 500 };
const ROOMS = { long: 10, short: 5 };
// So many acks before a fault: rooms are loaded, connections open.
const STEADY = { long: 300, short: 100 };
const PATIENCE_MS = 60_000; // Then a row ends without a figure.
const LEG_ROUNDS = 10; // Of one ledger: its books stay in memory until they are audited.

// What the table asks of every fault that leaves the edge alone, and how soon all is well again.
export const ANSWER_MS = 4_000;
export const BACK_MS = 10_000;
// A store that is away for longer than a second is known to be: who sends then is told at once, but
// for the few whose send finds out whether it is back.
const KNOWN_MS = 1_000;
const EARLY_MS = 300;

export const since = (start) => performance.now() - start;

const limitText = (atMost) => (atMost < Infinity ? ` (at most ${atMost})` : '');

export class Bench {
  // `slack`: so many times longer than they may take, times still pass.
  constructor(cluster, { isLong, slack, seed }) {
    this.cluster = cluster;
    this.isLong = isLong;
    this.slack = slack;
    this.seed = seed;
    this.random = randomOf(seed);
    this.figures = []; // [{name, value, unit, atMost}]
    this.ledgers = []; // The first line of each audit.
    this.runs = 0;
  }

  // What the table asks for, or as much of it as a run of all tests has time for.
  long(full, short) {
    return this.isLong ? full : scaled(short);
  }

  say(text) {
    console.log(`  ${new Date().toISOString().slice(11, 19)} ${text}`);
  }

  // How it goes on; tools/chaos shows it in the last line of a terminal, until the next one.
  progress(text) {
    console.log(`~ ${text}`);
  }

  // A figure of the row; verdict() holds it to `atMost`.
  figure(name, value, { unit = 'ms', atMost = Infinity } = {}) {
    const rounded = unit === 'ms' ? Math.round(value) : value;
    this.figures.push({ name, value: rounded, unit, atMost });
    this.say(`${name}: ${rounded} ${unit}${limitText(atMost)}`);
  }

  // A figure of several rounds: the longest counts.
  longest(name, ms, atMost = Infinity) {
    const before = this.figures.find((figure) => figure.name === name);
    if (!before) return this.figure(name, ms, { atMost });
    if (ms <= before.value) return;
    before.value = Math.round(ms);
    this.say(`${name}: now ${before.value} ms${limitText(atMost)}`);
  }

  // Every send so far got its ack or its refusal in this time.
  answered(run, ms) {
    this.longest('longest answer to a send', run.answers.max, ms);
    if (run.unanswered === 0) return;
    this.figure('sends never answered', run.unanswered, { unit: '', atMost: 0 });
  }

  // The store has just gone away: watches the answers to what is sent from the second second on.
  // stop() when it comes back, judge() when what was sent until then is answered.
  watchRefusals(run) {
    const samples = new Samples();
    const timer = setTimeout(() => (run.watch = samples), KNOWN_MS);
    return {
      stop: () => {
        clearTimeout(timer);
        run.watch = null;
      },
      judge: () => {
        if (samples.count === 0) throw new Error('nobody sent while the store was away');
        this.longest('mean answer to a send after the first second', samples.mean, EARLY_MS);
      },
    };
  }

  // Load that runs and has come into its stride.
  async load(options = {}) {
    const run = new LoadRun(this.cluster, {
      ...LOAD,
      rooms: this.isLong ? ROOMS.long : ROOMS.short,
      name: `run-${++this.runs}-`,
      seed: this.seed + this.runs,
      patienceMs: PATIENCE_MS * this.slack,
      ...options,
    });
    await run.open();
    run.send();
    await run.acked(this.isLong ? STEADY.long : STEADY.short);
    run.answers.reset();
    run.deliveries.reset();
    return run;
  }

  // Everything arrives, and the books are in order.
  async settle(run) {
    this.#keep(await run.finish());
  }

  // The same, and the run may go on.
  async turnPage(run) {
    this.#keep(await run.turnPage());
  }

  #keep({ text }) {
    this.ledgers.push(text.split('\n')[0]);
  }

  // `round` so many times, under load; a new ledger every few rounds. Gives how many connections were
  // lost.
  async rounds(count, round, options) {
    let losses = 0;
    for (let done = 0; done < count;) {
      const run = await this.load(options);
      for (let i = 0; i < LEG_ROUNDS && done < count; ++i) await round(run, ++done);
      await run.acked(STEADY.short);
      await this.settle(run);
      losses += run.losses;
    }
    if (count > 1) this.figure('rounds', count, { unit: '' });
    return losses;
  }

  verdict() {
    const allowed = ({ unit, atMost }) => (unit === 'ms' ? atMost * this.slack : atMost);
    const missed = this.figures.filter((figure) => !(figure.value <= allowed(figure)));
    const words = ({ name, value, unit, atMost }) => `${name}: ${value} ${unit}, at most ${atMost}`;
    assert.equal(missed.length, 0, missed.map(words).join('; '));
  }
}
