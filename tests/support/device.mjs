// device.mjs: one device of a user: a stock client that comes back to its rooms by itself, and what
// it was told: its view of each room's log, who types there and how far others have read, who is
// online, and what services push.
import { ChatClient } from './chat_client.mjs';
import { isOfService, LOGGED } from './client_events.mjs';
import { NotificationView } from './notification_view.mjs';
import { pause } from './pause.mjs';
import { PresenceView } from './presence_view.mjs';
import { RoomView } from './room_view.mjs';
import { until } from './until.mjs';

const ANSWER_MS = 20_000; // Above every deadline of the server, on busy cores too.
const BACK_MS = 60_000; // How long its edge may be gone.
// What says that something was lost.
const UNWANTED = new Set(['server:closing', 'resync', 'error']);
const RETRY_MS = 20; // What it waits before it asks again, unless it was told.

export class Device {
  // `cursor`: of the user's inbox.
  constructor(cluster, user, name, { cursor, ...options } = {}) {
    this.user = user;
    this.name = `${user}'s ${name}`;
    this.presence = new PresenceView(this.name, user);
    this.told = new NotificationView(this.name, cursor);
    this.places = new Map(); // room → what it has of it
    this.isTypist = false; // True: it is the one on which its user types.
    this.faults = [];
    this.losses = 0;
    this.unheard = 0; // Commands that were cut off from their answer.
    this.client = new ChatClient(cluster, user, { reconnectionDelayMax: 50, ...options });
    this.client.onEvent = (event) => this.#take(event);
    this.client.socket.on('connect', () => {
      this.presence.begin();
      this.told.begin();
      for (const [room, place] of this.places) if (place.isWanted) this.enter(room);
    });
    this.client.socket.on('disconnect', () => this.#lose());
  }

  get isConnected() {
    return this.client.socket.connected;
  }

  // What tells this connection from those before it.
  get life() {
    return this.told.lives.length;
  }

  connected() {
    return until(`${this.name} is connected`, () => this.isConnected, BACK_MS);
  }

  place(room) {
    if (!this.places.has(room)) {
      const place = { view: new RoomView(), isIn: false, isWanted: false, comesBack: false };
      this.places.set(room, { ...place, joinedAt: 0, typists: new Set(), readers: new Map() });
    }
    return this.places.get(room);
  }

  // The rooms it is subscribed to.
  get rooms() {
    return [...this.places.keys()].filter((room) => this.places.get(room).isIn);
  }

  // Subscribes, behind the last event it has, also when it comes back; until it is refused or its
  // user is removed. Resolves once it is in, or refused.
  enter(room) {
    const place = this.place(room);
    place.isWanted = true;
    if (place.isIn) place.comesBack = true; // If a removal is on its way to it.
    place.entering ??= this.#enter(room, place)
      .catch((error) => this.faults.push(`${this.name}, ${room}: ${error.message}`))
      .finally(() => (place.entering = undefined));
    return place.entering;
  }

  // The final answer to a command: {ok: true, ...}, or its refusal. Asked again, until there is one,
  // where the answer was lost (`isRepeat` then) or the refusal says so.
  async ask(event, payload) {
    for (let isRepeat = false; ; ) {
      await this.connected();
      const ack = await this.client.ask(event, payload, ANSWER_MS).catch((error) => ({ error }));
      if (ack.ok) return { ...ack, isRepeat };
      const { reason, retryable, retryAfterMs } = ack.error;
      const isLost = reason === undefined || reason === 'OUTCOME_UNKNOWN';
      if (isLost) ++this.unheard;
      if (reason === undefined && !/disconnect/.test(ack.error.message))
        this.faults.push(`${this.name}: ${event}: ${ack.error.message}`);
      if (!isLost && (!retryable || reason === 'SLOW_MODE')) return { ...ack, isRepeat };
      isRepeat ||= isLost || reason === 'UNAVAILABLE';
      await pause(retryAfterMs ?? RETRY_MS);
    }
  }

  // Its user goes away with it, or loads its page anew.
  goAway() {
    this.client.close();
  }

  comeBack() {
    this.client.socket.connect();
    return this.connected();
  }

  async #enter(room, place) {
    while (place.isWanted && !place.isIn) {
      await this.connected();
      const wait = await this.#join(room, place);
      if (wait !== undefined) await pause(wait);
    }
  }

  // One attempt; resolves with how long to wait before the next one, if there is to be one. The
  // answer is dealt with at once: events may follow it in the same packet.
  #join(room, place) {
    const { socket } = this.client;
    return new Promise((resolve) => {
      const asked = { roomId: room, afterSeq: place.view.last };
      socket.timeout(ANSWER_MS).emit('joinRoom', asked, (lost, ack) => {
        place.why = JSON.stringify(lost ? lost.message : ack);
        if (lost) return resolve(RETRY_MS);
        const { ok, lastSeq, error } = ack;
        if (ok) Object.assign(place, { isIn: true, joinedAt: lastSeq });
        else if (!error.retryable) place.isWanted = false;
        resolve(error?.retryable ? (error.retryAfterMs ?? RETRY_MS) : undefined);
      });
    });
  }

  #take(event) {
    if (event.name === 'typing') return this.#note(event);
    if (event.name === 'messageRead') return this.#learn(event);
    if (event.name === 'presence') return this.presence.take(event);
    if (isOfService(event) && event.seq === undefined) return this.told.take(event);
    if (UNWANTED.has(event.name)) this.faults.push(`${this.name}: ${JSON.stringify(event)}`);
    if (!LOGGED.has(event.name) && !isOfService(event)) return;
    const place = this.places.get(event.roomId);
    if (!place?.isIn) {
      this.faults.push(`${this.name} is out of ${event.roomId}, and got ${JSON.stringify(event)}`);
      return;
    }
    place.view.add(event);
    // An own removal up to `joinedAt` is of the past.
    const isRemoval = event.name === 'memberLeft' && event.userId === this.user;
    if (!isRemoval || event.seq <= place.joinedAt) return;
    this.#leave(place);
    place.isWanted = false;
    if (!place.comesBack) return;
    place.comesBack = false;
    this.enter(event.roomId);
  }

  #note({ roomId, userId, isTyping }) {
    const place = this.places.get(roomId);
    if (!place?.isIn) this.faults.push(`${this.name} is out of ${roomId}, and is told who types`);
    else if (isTyping && this.isTypist && userId === this.user)
      this.faults.push(`${this.name} is told that it types itself`);
    else if (isTyping) place.typists.add(userId);
    else place.typists.delete(userId);
  }

  // How far somebody has read; of the own user it is told wherever the device is.
  #learn({ roomId, userId, readSeq }) {
    const { isIn, view, readers } = this.place(roomId);
    // Who was in the room may be told while its removal overtakes the signal.
    if (!isIn && view.last === 0 && userId !== this.user)
      this.faults.push(`${this.name} was never in ${roomId}, and is told what ${userId} has read`);
    if (readSeq <= (readers.get(userId) ?? 0))
      this.faults.push(`${this.name}: ${userId} has read ${roomId} to ${readSeq}, it is told again`);
    readers.set(userId, readSeq);
  }

  #lose() {
    ++this.losses;
    for (const place of this.places.values()) this.#leave(place);
  }

  #leave(place) {
    place.isIn = false;
    place.typists.clear();
  }
}
