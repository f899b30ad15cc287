// family_events_test.mjs: clients that listen: a manager passes the server's events on to the page.
// They are told connected, and error for what they should not have said.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';

import { all, everyTransport, family, refused, told } from '../support/family.mjs';

// As their page has it; `io` and the URL come from outside.
class WebSocketManager extends EventEmitter {
  constructor(io, url, token) {
    super();
    this.socket = io(url, { auth: { token } });
    this.setupEventHandlers();
  }

  setupEventHandlers() {
    this.socket.on('connected', (data) => {
      this.emit('connected', data);
    });
    this.socket.on('notification', (data) => {
      this.emit('notification', data);
    });
    this.socket.on('error', (data) => {
      this.emit('ws:error', data);
    });
    this.socket.on('sp_update', (data) => {
      this.emit('sp:update', data);
    });
  }
}

// One manager and what its page was told.
function manager({ io, url, cluster }, user) {
  const made = new WebSocketManager(io, url, cluster.token(user));
  made.told = [];
  for (const name of ['connected', 'notification', 'ws:error', 'sp:update']) {
    made.on(name, (data) => made.told.push([name, data]));
  }
  return made;
}

// Their own order of transports is one more.
const transports = [
  ...everyTransport,
  ['websocket, else polling', { transports: ['websocket', 'polling'] }, 'websocket'],
];

family('events', { transports }, {
  'connected comes first, once for each device': async (world) => {
    const devices = [manager(world, 42), manager(world, 42)];
    for (const { socket, told: page } of devices) {
      const connected = await told(socket, 'connected');
      assert.deepEqual(connected, { connectionId: socket.id, userId: '42' });
      assert.deepEqual(page, [['connected', connected]]);
    }
    assert.notEqual(devices[0].socket.id, devices[1].socket.id);

    const [{ socket }] = devices;
    socket.disconnect();
    socket.connect();
    await told(socket, 'connected', ({ connectionId }) => connectionId === socket.id);
    assert.equal(all(socket, 'connected').length, 2);
  },

  'who says something is told that nothing is awaited': async (world) => {
    const { socket, told: page } = manager(world, '6f2e5c1e-0b7a-4d59-9a53-0d3c4b1f2a10');
    socket.emit('attack', { target: 'dragon' });
    const error = await told(socket, 'error');
    assert.deepEqual(error, {
      reason: 'UNKNOWN_COMMAND',
      message: 'no event is named "attack"',
      retryable: false,
    });
    assert.deepEqual(page.map(([name]) => name), ['connected', 'ws:error']);
    assert.equal(socket.connected, true);
  },

  'messages of a game have no name here': async (world) => {
    await world.cluster.createRoom('game_1', ['u-1']);
    const { socket } = manager(world, 'u-1');
    await told(socket, 'connected');
    await world.cluster.ctl('message', 'post', 'game_1', 'the dragon wakes');
    socket.emit('still here?');
    await told(socket, 'error');
    assert.deepEqual(socket.heard.map(([name]) => name), ['connected', 'error']);
  },

  'a user is asked for': async ({ io, url }) => {
    for (const options of [{}, { auth: { token: 'nonsense' } }]) {
      assert.match((await refused(io(url, options))).data.reason, /^TOKEN_/);
    }
  },
});
