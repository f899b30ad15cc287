// town.mjs: rooms and members by the thousand, made as services and clients make them.
import http from 'node:http';

import { GrpcClient } from '../../support/grpc_client.mjs';
import { residentBytes } from '../../support/server_process.mjs';
import { until } from '../../support/until.mjs';

const AT_ONCE = 32; // Requests under way: enough to keep two cores busy.
const RESIDENTS = 100; // Who are members of rooms by turns.
const MEMBERS_AT_ONCE = 1_000; // What one call may name.
const NEWS = 5_000; // So many requests, and it is said how far that is.
const ATTACHED_MS = 60_000;

const memberOf = (userId) => ({ userId, role: 'ROLE_MEMBER' });
const residentOf = (number) => `resident-${number % RESIDENTS}`;

export class Town {
  constructor(bench, cluster) {
    this.bench = bench;
    this.cluster = cluster;
    this.services = new GrpcClient(cluster, 'town');
    this.agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
    this.tokens = new Map();
    cluster.closing.push(() => this.agent.destroy());
  }

  // Rooms PREFIX-FROM to PREFIX-(TO - 1), each with one resident.
  makeRooms(prefix, from, to) {
    return this.#each(`makes rooms ${prefix}`, from, to, (number) =>
      this.services.call('RoomService/CreateRoom', {
        roomId: `${prefix}-${number}`,
        members: [memberOf(residentOf(number))],
      }),
    );
  }

  // Each of them is asked for by its resident, who is a member: control knows the room from then
  // on, and writes nothing.
  touchRooms(prefix, from, to) {
    return this.#each(`asks for rooms ${prefix}`, from, to, (number) =>
      this.join(`${prefix}-${number}`, residentOf(number)),
    );
  }

  // A room of any size: those named, and strangers who never come.
  async makeRoom(roomId, users, size) {
    const strangers = Array.from({ length: size - users.length }, (_, i) => `stranger-${i}`);
    const members = [...users, ...strangers].map(memberOf);
    const first = members.slice(0, MEMBERS_AT_ONCE);
    await this.services.call('RoomService/CreateRoom', { roomId, members: first });
    for (let at = MEMBERS_AT_ONCE; at < size; at += MEMBERS_AT_ONCE) {
      this.bench.progress(`fills a room: ${at} of ${size} members`);
      const more = members.slice(at, at + MEMBERS_AT_ONCE);
      await this.services.call('RoomService/AddMembers', { roomId, members: more });
    }
  }

  // Over HTTP, as a page asks without a socket. Once more where a connection was just closed.
  join(room, user) {
    return this.#join(room, user).catch((error) => {
      if (error.code !== 'ECONNRESET') throw error;
      return this.#join(room, user);
    });
  }

  #join(room, user) {
    if (!this.tokens.has(user)) this.tokens.set(user, this.cluster.token(user));
    const headers = {
      authorization: `Bearer ${this.tokens.get(user)}`,
      'content-type': 'application/json',
    };
    const options = { agent: this.agent, method: 'POST', headers };
    return new Promise((resolve, reject) => {
      const request = http.request(`${this.cluster.url}/v1/rooms/${room}/join`, options);
      request.once('error', reject);
      request.once('response', (response) => {
        let text = '';
        response.on('data', (data) => (text += data));
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode < 300) return resolve();
          reject(new Error(`${user} joins ${room}: ${response.statusCode} ${text}`));
        });
      });
      request.end('{}');
    });
  }

  // Control begins anew, and knows nothing.
  async restartControl() {
    this.bench.progress('starts control anew');
    const { cluster } = this;
    await cluster.control.end('SIGTERM');
    await cluster.restart(cluster.control);
    await until(
      'the edge is attached',
      async () => (await cluster.metric(cluster.edge, 'confab_edge_link_attached')) === 1,
      ATTACHED_MS,
    );
  }

  get controlBytes() {
    return residentBytes(this.cluster.control.pid);
  }

  async #each(what, from, to, act) {
    let next = from;
    const work = async () => {
      while (next < to) {
        const number = next++;
        if ((number - from) % NEWS === 0) this.bench.progress(`${what}: ${number} of ${to}`);
        await act(number);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
}
