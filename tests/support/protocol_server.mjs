// protocol_server.mjs: confab-protocol-server (bare Engine.IO and Socket.IO that echo, short
// heartbeats) for one file of tests, and the stock clients on every choice of transports.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { binDir } from './cluster.mjs';
import { ServerProcess } from './server_process.mjs';
import { until } from './until.mjs';

// What the server is started with; a busy machine must not make a client miss its pong.
export const PING_INTERVAL = 1_000;
export const PING_TIMEOUT = 3_000;
const OPEN = 4_000;
export const MAX_PAYLOAD = 1_000_000;

const LIMIT_MS = 30_000; // Of a test; the longest waits for a missed pong.

// engine.io-client and ws are what socket.io-client brings along: looked up from there.
const theirs = createRequire(createRequire(import.meta.url).resolve('socket.io-client'));
export const { Socket: EngineSocket } = theirs('engine.io-client');
export const { WebSocket } = createRequire(theirs.resolve('engine.io-client'))('ws');

export const choices = [
  ['websocket alone', { transports: ['websocket'] }],
  ['polling alone', { transports: ['polling'] }],
  ['polling, then the upgrade', {}],
];

// Starts it for the tests of this file; `url` is known when they run.
export function protocolServer() {
  const server = { url: '' };
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'confab-protocol-'));
  const times = [PING_INTERVAL, PING_TIMEOUT, OPEN].map(String);
  const command = [`${binDir}/confab-protocol-server`, '0', ...times];
  const process = new ServerProcess({ name: 'protocol-server', dir, command });
  before(async () => {
    process.start();
    const said = () => {
      if (!process.running) throw new Error(`it ended at its start: ${process.log()}`);
      return /^127\.0\.0\.1:\d+$/m.exec(process.log());
    };
    server.url = `http://${(await until('it listens', said, LIMIT_MS))[0]}`;
  });
  after(async () => {
    const { code } = await process.end('SIGTERM');
    if (code !== 0) throw new Error(`exit ${code}: ${process.logTail()}`);
    fs.rmSync(dir, { recursive: true });
  });
  return server;
}

// One test for each choice of transports; body(options of the client, how).
export function everyChoice(name, body) {
  for (const [how, options] of choices) {
    test(`${name}: ${how}`, { timeout: LIMIT_MS }, () => body(options, how));
  }
}

export const once = (name, body) => test(name, { timeout: LIMIT_MS }, body);

// A stock Engine.IO client and what came to it: engine.heard, engine.closed.
export function engineOf(url, options) {
  const engine = new EngineSocket(url, { path: '/engine.io/', ...options });
  engine.binaryType = 'arraybuffer';
  engine.heard = [];
  engine.closed = null;
  engine.on('handshake', (handshake) => (engine.opened = { handshake }));
  engine.on('message', (data) => engine.heard.push(data));
  engine.on('close', (reason) => (engine.closed = reason));
  engine.on('error', () => {}); // A close follows.
  return engine;
}

export const isOpen = (engine) => until('the engine is open', () => engine.opened);

// A bare WebSocket: ws.heard, ws.isClosed.
export function rawWebSocket(url) {
  const ws = new WebSocket(url.replace('http', 'ws'));
  ws.heard = [];
  ws.isClosed = false;
  ws.isOpened = false;
  ws.on('open', () => (ws.isOpened = true));
  ws.on('message', (data, isBinary) => ws.heard.push(isBinary ? data : data.toString()));
  ws.on('close', () => (ws.isClosed = true));
  ws.on('error', () => {}); // A close follows.
  return ws;
}
