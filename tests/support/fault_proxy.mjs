// fault_proxy.mjs: a TCP proxy that does to its links what networks do: cut, reset, stall, delay,
// swallow what goes one way. `tc netem` is not to be had everywhere; this needs nothing.
//
// Directions: 'up' is from who connects to the server behind, 'down' the way back. A fault holds
// for the links that are open and for those that open while it lasts.
import net from 'node:net';

const DIRECTIONS = ['up', 'down'];
const HELD_BYTES_LIMIT = 1 << 20; // Of one direction; beyond it TCP pushes back, as a network does.

// One direction of a link.
class Pipe {
  constructor(link, from, to, weather) {
    Object.assign(this, { link, from, to, weather });
    this.queue = []; // [{bytes, due}]; bytes null: the end of the stream.
    this.held = 0;
    this.timer = null;
    from.on('data', (bytes) => this.#take(bytes));
    from.on('end', () => this.#take(null));
    to.on('drain', () => this.pump());
  }

  #take(bytes) {
    if (this.weather.isSwallowing) {
      this.link.isTorn = true;
      return;
    }
    this.queue.push({ bytes, due: performance.now() + this.weather.delay() });
    this.held += bytes?.length ?? 0;
    this.pump();
  }

  pump() {
    clearTimeout(this.timer);
    const { weather, queue, to } = this;
    while (!weather.isStalled && queue.length > 0 && !to.writableNeedDrain) {
      const wait = queue[0].due - performance.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.pump(), wait);
        break;
      }
      const { bytes } = queue.shift();
      if (bytes === null) to.end();
      else {
        this.held -= bytes.length;
        to.write(bytes);
      }
    }
    if (this.held > HELD_BYTES_LIMIT) this.from.pause();
    else if (!this.from.destroyed) this.from.resume();
  }
}

class Link {
  constructor(proxy, client) {
    this.isTorn = false; // Bytes are missing: it can only end.
    this.isBroken = false; // One side is gone; the other hears of it when the network lets it.
    this.client = client;
    this.server = net.connect({ ...proxy.target, allowHalfOpen: true });
    this.sockets = [this.client, this.server];
    this.pipes = [
      new Pipe(this, this.client, this.server, proxy.weather.up),
      new Pipe(this, this.server, this.client, proxy.weather.down),
    ];
    for (const socket of this.sockets) {
      socket.setNoDelay(true);
      socket.on('error', () => {}); // 'close' follows.
      socket.on('close', (hadError) => {
        if (this.sockets.every((one) => one.destroyed)) return proxy.links.delete(this);
        this.isBroken ||= hadError;
        if (this.isBroken && !proxy.isFaulty) this.reset();
      });
    }
  }

  reset() {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  end() {
    for (const socket of this.sockets) socket.destroy();
  }
}

class Weather {
  constructor(random) {
    this.random = random;
    this.clear();
  }

  clear() {
    this.isStalled = false;
    this.isSwallowing = false;
    this.delayMs = 0;
    this.jitterMs = 0;
  }

  delay() {
    return this.delayMs + this.random() * this.jitterMs;
  }
}

export class FaultProxy {
  // `target`: as net.connect takes it, {port, host} or {path}. `random`: for the jitter.
  constructor(target, random = Math.random) {
    this.target = target;
    this.links = new Set();
    this.opened = 0; // Links so far.
    this.isRefusing = false;
    this.weather = { up: new Weather(random), down: new Weather(random) };
    this.listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      if (this.isRefusing) return client.resetAndDestroy();
      ++this.opened;
      this.links.add(new Link(this, client));
    });
  }

  // On a free port of 127.0.0.1.
  static async before(target, random) {
    const proxy = new FaultProxy(target, random);
    await new Promise((resolve, reject) => {
      proxy.listener.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port() {
    return this.listener.address().port;
  }

  get address() {
    return `127.0.0.1:${this.port}`;
  }

  // Bytes that wait here.
  get held() {
    return [...this.links].flatMap((link) => link.pipes).reduce((sum, pipe) => sum + pipe.held, 0);
  }

  get isFaulty() {
    return DIRECTIONS.some((way) => this.weather[way].isStalled || this.weather[way].isSwallowing);
  }

  // Nothing passes these directions any more, nor does the news that a side has gone.
  stall(...directions) {
    for (const way of directions.length > 0 ? directions : DIRECTIONS) {
      this.weather[way].isStalled = true;
    }
  }

  // What goes this way vanishes, and its sender is not told. Links that have lost something so end
  // with calm().
  swallow(direction) {
    this.weather[direction].isSwallowing = true;
  }

  // From now on: everything arrives so much later, in order.
  delay(ms, jitterMs = 0) {
    for (const way of DIRECTIONS) Object.assign(this.weather[way], { delayMs: ms, jitterMs });
  }

  // New links are reset.
  refuse() {
    this.isRefusing = true;
  }

  // All faults are over. What was held back arrives; what is past mending is reset.
  calm() {
    this.isRefusing = false;
    for (const way of DIRECTIONS) this.weather[way].clear();
    for (const link of this.links) {
      if (link.isTorn || link.isBroken) link.reset();
      else for (const pipe of link.pipes) pipe.pump();
    }
  }

  // Every link that is open ends with RST on both sides; new ones are let in.
  reset() {
    for (const link of this.links) link.reset();
  }

  // The same with FIN.
  cut() {
    for (const link of this.links) link.end();
  }

  close() {
    this.listener.close();
    this.cut();
  }
}
