// evening_hands.mjs: three ways to run a house: a moderator's over HTTP, a service's over gRPC, an
// operator's with confabctl. Each can do the same things and answers {ok, reason-carrying error};
// each asks again, until it is answered, while nobody is there.
import { pause } from '../support/pause.mjs';

const RETRY_MS = 50; // A process that was killed takes longer than that to come back.
const ROLES = { reader: 'ROLE_READER', member: 'ROLE_MEMBER' };

// Requests of users over HTTP, each over the edge that is there.
export class Http {
  constructor(apis) {
    this.apis = apis;
  }

  ask(user, method, room, path, body, headers = {}) {
    return this.#again(method, `/v1/rooms/${room}${path}`, { user, body, headers });
  }

  // What a service wants told.
  notify(token, body) {
    return this.#again('POST', '/v1/notify', { token, body });
  }

  async #again(method, path, options) {
    for (let tries = 0; ; ++tries) {
      const api = this.apis[tries % this.apis.length];
      const answer = await api.ask(method, path, options).catch(unlessLost);
      if (answer && answer.status < 300) return { ...answer.body, ok: true, isRepeat: tries > 0 };
      if (answer && answer.status !== 503 && answer.body.error.reason !== 'OUTCOME_UNKNOWN')
        return { ok: false, error: answer.body.error, isRepeat: tries > 0 };
      await pause(RETRY_MS);
    }
  }
}

// fetch says TypeError, or that it was aborted, where a connection fails.
function unlessLost(error) {
  if (error.code === 'ERR_ASSERTION') throw error;
  return null;
}

// A moderator: a user with a token.
export class ModeratorHand {
  constructor(user, http) {
    this.user = user;
    this.do = (...request) => http.ask(user, ...request);
  }

  post(room, key, content) {
    const headers = { 'idempotency-key': key };
    return this.do('POST', room, '/messages', { content }, headers);
  }
  edit = (room, id, content) => this.do('PATCH', room, `/messages/${id}`, { content });
  remove = (room, id) => this.do('DELETE', room, `/messages/${id}`);
  add = (room, userId, role) => this.do('POST', room, '/members', { userId, role });
  setRole = (room, userId, role) => this.do('POST', room, '/role', { userId, role });
  kick = (room, userId) => this.do('POST', room, '/kick', { userId });
  ban = (room, userId, seconds) => this.do('POST', room, '/ban', { userId, seconds });
  unban = (room, userId) => this.do('POST', room, '/unban', { userId });
  mute = (room, userId, seconds) => this.do('POST', room, '/mute', { userId, seconds });
  unmute = (room, userId) => this.do('POST', room, '/unmute', { userId });
  update = (room, changes) => this.do('PATCH', room, '', changes);
}

// A service: acts as the system.
export class ServiceHand {
  constructor(evening) {
    this.user = '';
    this.do = async (method, request) => {
      for (let isRepeat = false; ; isRepeat = true) {
        try {
          return { ...(await evening.grpc.call(method, request)), ok: true, isRepeat };
        } catch (error) {
          if (!error.isLost) return { ok: false, error, isRepeat };
        }
        await pause(RETRY_MS);
      }
    };
  }

  post(roomId, idempotencyKey, content) {
    return this.do('MessageService/PostMessage', { roomId, idempotencyKey, content });
  }
  edit = (roomId, messageId, content) =>
    this.do('MessageService/EditMessage', { roomId, messageId, content });
  remove = (roomId, messageId) => this.do('MessageService/DeleteMessage', { roomId, messageId });
  add = (roomId, userId, role) =>
    this.do('RoomService/AddMembers', { roomId, members: [{ userId, role: ROLES[role] }] });
  setRole = (roomId, userId, role) =>
    this.do('RoomService/SetMemberRole', { roomId, userId, role: ROLES[role] });
  kick = (roomId, userId) => this.do('RoomService/RemoveMembers', { roomId, userIds: [userId] });
  ban = (roomId, userId, seconds) => this.do('RoomService/BanMember', { roomId, userId, seconds });
  unban = (roomId, userId) => this.do('RoomService/UnbanMember', { roomId, userId });
  mute = (roomId, userId, seconds) =>
    this.do('RoomService/MuteMember', { roomId, userId, seconds });
  unmute = (roomId, userId) => this.do('RoomService/UnmuteMember', { roomId, userId });
  update(roomId, { metadata, ...changes }) {
    const asked = metadata ? { setMetadata: metadata } : changes;
    return this.do('RoomService/UpdateRoom', { roomId, changes: asked });
  }
}

const UNREACHABLE = 3; // Exit code of confabctl.

// An operator at the command line: acts as the system too.
export class OperatorHand {
  constructor(cluster) {
    this.user = '';
    this.do = (...args) => this.feed('', ...args);
    // The same, with something to read.
    this.feed = async (input, ...args) => {
      for (let isRepeat = false; ; isRepeat = true) {
        const { code, out, err } = await cluster.ctlRaw([...args, '-o', 'json'], input);
        if (code === 0) return { ...(out ? JSON.parse(out) : {}), ok: true, isRepeat };
        const reason = /\(([A-Z_]+)\)/.exec(err)?.[1] ?? `${code}: ${err}`;
        if (code !== UNREACHABLE && reason !== 'UNAVAILABLE')
          return { ok: false, error: { reason, out }, isRepeat };
        await pause(RETRY_MS);
      }
    };
  }

  post(room, key, content) {
    return this.do('message', 'post', room, content, '--key', key).then(withSeq);
  }
  edit = (room, id, content) => this.do('message', 'edit', room, id, content).then(withSeq);
  remove = (room, id) => this.do('message', 'delete', room, id, '--yes').then(withSeq);
  add = (room, user, role) => this.do('member', 'add', room, user, '--role', role);
  setRole = (room, user, role) => this.do('member', 'role', room, user, role);
  kick = (room, user) => this.do('member', 'kick', room, user);
  ban = (room, user, seconds) => this.do('member', 'ban', room, user, ...lasting(seconds));
  unban = (room, user) => this.do('member', 'unban', room, user);
  mute = (room, user, seconds) => this.do('member', 'mute', room, user, ...lasting(seconds));
  unmute = (room, user) => this.do('member', 'unmute', room, user);

  update(room, { topic, metadata, isReadOnly, slowModeSeconds, isArchived }) {
    if (isArchived === true) return this.do('room', 'archive', room);
    if (isArchived === false) return this.do('room', 'unarchive', room);
    const words = Object.entries(metadata ?? {});
    const set = words.flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const flags = {
      topic,
      'read-only': isReadOnly === undefined ? undefined : isReadOnly ? 'on' : 'off',
      'slow-mode': slowModeSeconds === 0 ? 'off' : slowModeSeconds && `${slowModeSeconds}s`,
    };
    const given = Object.entries(flags).filter(([, value]) => value !== undefined);
    const args = given.flatMap(([name, value]) => [`--${name}`, value]);
    return this.do('room', 'update', room, ...set, ...args);
  }
}

const lasting = (seconds) => (seconds > 0 ? ['--for', `${seconds}s`] : []);
const withSeq = (answer) => (answer.ok ? { ...answer, seq: Number(answer.seq) } : answer);
