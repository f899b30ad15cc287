// family.mjs: one family of client code against real servers, on every choice of transports. The
// client code stands in the test as its document writes it: io(url, options), on, emit.
import { io as stockIo } from 'socket.io-client';

import { scenario } from './scenario.mjs';
import { until, within } from './until.mjs';

const ACK_MS = 10_000; // Longer than any deadline of the server: a missing answer is a defect.

// [how, options of io(), the transport it ends on]
export const everyTransport = [
  ['websocket alone', { transports: ['websocket'] }, 'websocket'],
  ['polling alone', { transports: ['polling'] }, 'polling'],
  ['polling, then the upgrade', {}, 'websocket'],
];

class World {
  constructor(cluster, options, last) {
    this.cluster = cluster;
    this.options = options;
    this.last = last;
    this.sockets = [];
  }

  get url() {
    return this.cluster.url;
  }

  // The stock io(); keeps what each socket is told as [name, ...arguments] in socket.heard.
  io = (url, options) => {
    const socket = stockIo(url, { ...options, ...this.options });
    socket.heard = [];
    socket.onAny((...event) => socket.heard.push(event));
    this.sockets.push(socket);
    return socket;
  };

  // Every socket that is open has come to the transport it is to end on.
  async settle() {
    for (const socket of this.sockets.filter(({ connected }) => connected)) {
      const name = () => socket.io.engine.transport.name;
      await until(`${this.last} is used`, () => name() === this.last, ACK_MS, name);
    }
  }

  close() {
    for (const socket of this.sockets.splice(0)) socket.disconnect();
  }
}

// family('rooms', {cluster options}, {'what holds': async (world) => {...}}): the cases one after
// the other on one cluster for each choice of transports; each has rooms and users of its own.
export function family(dialect, { transports = everyTransport, edge = {}, ...options }, cases) {
  for (const [how, choice, last] of transports) {
    const settings = { ...options, edge: { dialect, ...edge } };
    scenario(`${dialect} on ${how}`, settings, async (cluster) => {
      const world = new World(cluster, choice, last);
      cluster.closing.push(() => world.close());
      for (const [name, body] of Object.entries(cases)) {
        try {
          await body(world);
          await world.settle();
        } catch (error) {
          error.message = `${name}: ${error.message}`;
          throw error;
        }
        world.close();
      }
    });
  }
}

// The first event of that name, what it carries matching: its first argument.
export async function told(socket, name, match = () => true) {
  const found = () => socket.heard.find(([event, data]) => event === name && match(data));
  const last = () => `it heard ${JSON.stringify(socket.heard.slice(-3))}`;
  return (await until(`${name} is told`, found, ACK_MS, last))[1];
}

// What all events of that name carried.
export const all = (socket, name) =>
  socket.heard.filter(([event]) => event === name).map(([, data]) => data);

// The ack of socket.emit(...event, callback).
export const acked = (socket, ...event) =>
  within(
    `the ack of ${event[0]}`,
    ACK_MS,
    new Promise((resolve) => socket.emit(...event, resolve)),
  );

export const connected = (socket) => until('it connects', () => socket.connected, ACK_MS);

// It is told that it may not connect, and does not try again by itself.
export async function refused(socket) {
  const error = await within(
    'connect_error',
    ACK_MS,
    new Promise((resolve) => socket.once('connect_error', resolve)),
  );
  if (socket.active) throw new Error(`it would try again after ${error.message}`);
  return error;
}
