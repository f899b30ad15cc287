// canary.mjs: two users who chat beside an attack, in a thread of their own so that the attacker's
// work does not slow their clock: how long their messages take, and whether anything befell them.
// In the thread itself (isMainThread false) this file is the pair.
import assert from 'node:assert/strict';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { ChatClient } from './chat_client.mjs';
import { pause } from './pause.mjs';
import { until } from './until.mjs';

const PACE_MS = 25; // Between two messages: 40 a second, below the rate of commands.
const BEFORE = 120; // Messages that say how long one takes in peace.
// Two busy cores share the time among attacker, edge, control and the pair: an edge that stands
// still for its offenders shows by far more.
const FACTOR = 15;
const LEAST_MS = 20; // What is taken as the pair's own p99 at least: a turn of the scheduler.

const p99 = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.99)];

export class Canary {
  #worker;
  #times = [];
  #failure = null;

  // `room` tells pairs of several scenarios apart.
  static async start(cluster, room = 'nest') {
    const canary = new Canary();
    await cluster.createRoom(room, ['cy', 'di']);
    const data = { url: cluster.url, room, tokens: ['cy', 'di'].map((user) => cluster.token(user)) };
    canary.#worker = new Worker(new URL(import.meta.url), { workerData: data });
    canary.#worker.on('message', (message) => {
      if (typeof message === 'number') canary.#times.push(message);
      else canary.#failure ??= message;
    });
    canary.#worker.on('error', (error) => (canary.#failure ??= String(error)));
    cluster.closing.push(() => canary.#worker.terminate());
    await canary.#sings(BEFORE);
    canary.before = p99(canary.#times);
    canary.#times = [];
    return canary;
  }

  #sings(count) {
    return until(
      `the canary sings ${count} times`,
      () => this.#failure !== null || this.#times.length >= count,
      60_000,
    );
  }

  // After the attack: it sang all the while, at its pace, and is still connected. `least`: messages
  // that make a p99.
  async isUnharmed(least) {
    await this.sings(least);
    const figures =
      `canary: p99 ${this.before.toFixed(1)} ms before, ${this.p99.toFixed(1)} ms in ` +
      `${this.#times.length} messages under attack`;
    console.log(figures);
    assert.ok(this.p99 <= this.limit, `${figures}; at most ${this.limit} ms`);
  }

  // What its p99 may be under attack.
  get limit() {
    return Math.round(FACTOR * Math.max(this.before, LEAST_MS));
  }

  // Of its messages since the attack began.
  get p99() {
    return p99(this.#times);
  }

  // The same without a judgement: for who has a limit of its own.
  async sings(least = 100) {
    await this.#sings(Math.max(least, this.#times.length + 20));
    assert.equal(this.#failure, null);
  }
}

async function sing({ url, room, tokens }) {
  const cluster = { url, closing: [] };
  const [cy, di] = await Promise.all(
    tokens.map((token, i) => ChatClient.connected(cluster, ['cy', 'di'][i], { token })),
  );
  await Promise.all([cy.join(room), di.join(room)]);
  let heard = () => {};
  di.onEvent = (event) => event.name === 'newMessage' && heard(event);
  for (const client of [cy, di]) {
    client.socket.on('disconnect', (reason) => parentPort.postMessage(`disconnected: ${reason}`));
  }
  for (let n = 1; ; ++n) {
    const content = `song ${n}`;
    const began = performance.now();
    const arrival = new Promise((resolve) => (heard = resolve));
    cy.socket.emit('sendMessage', { roomId: room, content });
    const event = await arrival;
    const took = performance.now() - began;
    // Each song once, and in order.
    parentPort.postMessage(event.content === content ? took : `heard ${event.content} as ${n}`);
    di.events.length = cy.events.length = 0;
    await pause(PACE_MS);
  }
}

if (!isMainThread) await sing(workerData);
