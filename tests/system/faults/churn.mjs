// churn.mjs: clients that come and go while others stay: stock ones and native ones hang up and
// come back, or leave a room and join it again, each where it stood.
import { between } from '../../support/random.mjs';
import { pause } from '../../support/pause.mjs';
import { until } from '../../support/until.mjs';

const PACE_MS = 300; // From one who goes to the next.
const LEAST_MS = 50; // That one is away; less is nothing a server would notice.
const MOST_MS = 3_000;
const BACK_MS = 120_000; // For everybody, when it is to end.

export class Churn {
  // `clients` of the run, and native readers.
  constructor(run, { clients, readers, random }) {
    Object.assign(this, { run, clients, readers, random });
    this.moves = 0; // Of somebody, and back.
    this.away = new Map(); // who → until it is back
    this.isOn = false;
  }

  start() {
    this.isOn = true;
    this.going = this.#go();
    this.going.catch(() => {}); // stop() says it.
  }

  // Everybody is back, and stays.
  async stop() {
    this.isOn = false;
    await this.going;
    await Promise.all(this.away.values());
    await until(
      'everybody is back',
      () => this.clients.every(({ isBack }) => isBack) && this.readers.every(({ isIn }) => isIn),
      BACK_MS,
      () => this.#missing().slice(0, 5).join(', '),
    );
  }

  #missing() {
    const stock = this.clients.filter(({ isBack }) => !isBack);
    const native = this.readers.filter(({ isIn }) => !isIn);
    return [...stock.map(({ user }) => user), ...native.map(({ user }) => `${user}, native`)];
  }

  async #go() {
    while (this.isOn) {
      await pause(PACE_MS);
      const ms = between(this.random, LEAST_MS, MOST_MS);
      const isStock = this.random() < 0.5;
      const who = this.#one(isStock ? this.clients : this.readers);
      const hangsUp = this.random() < 0.5;
      const room = isStock ? this.#one(who.rooms) : null;
      if (this.away.has(who) || !(isStock ? who.isBack : who.isIn)) continue;
      const move = isStock ? this.#stock(who, room, hangsUp, ms) : this.#native(who, hangsUp, ms);
      ++this.moves;
      this.away.set(
        who,
        move.finally(() => this.away.delete(who)),
      );
    }
  }

  #one(list) {
    return list[between(this.random, 0, list.length - 1)];
  }

  async #stock(client, room, hangsUp, ms) {
    if (!hangsUp) return this.run.reenter(client, room, ms);
    client.socket.disconnect();
    await pause(ms);
    client.socket.connect(); // In its rooms again by itself.
  }

  async #native(reader, hangsUp, ms) {
    if (!hangsUp) {
      reader.leaveFor(ms);
      return pause(ms);
    }
    reader.goAway();
    await pause(ms);
    await reader.comeBack();
  }
}
