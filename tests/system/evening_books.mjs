// evening_books.mjs: what people wrote and what they were answered, held against the log.

// Reasons for which somebody may be refused in an evening like this one; what in the log explains
// it, where something must.
const REASONS = {
  NOT_A_MEMBER: null,
  FORBIDDEN: null,
  MESSAGE_NOT_FOUND: null,
  MEMBER_NOT_FOUND: null,
  BANNED: (event, user) => event.memberBanned?.userId === user,
  MUTED: (event, user) => event.memberMuted?.userId === user,
  SLOW_MODE: (event) => event.roomUpdated?.slowModeSeconds > 0,
  ROOM_READ_ONLY: (event) => event.roomUpdated?.isReadOnly,
  ROOM_ARCHIVED: (event) => event.roomUpdated?.isArchived,
};

export class Books {
  constructor() {
    this.posts = []; // {room, user, id, content, ok, seq, messageId, reason, isRepeat}
    this.changes = []; // {kind, room, user, messageId, content, ok, seq}
    this.marks = []; // {room, user, asked, ok, seq, isRepeat}
    this.refusals = []; // {what, room, user, reason}
  }

  post(post, answer) {
    this.posts.push({ ...post, ...this.#answer('post', post, answer) });
  }

  // `kind`: messageEdited or messageDeleted.
  change(kind, change, answer) {
    this.changes.push({ kind, ...change, ...this.#answer(kind, change, answer) });
  }

  mark(mark, answer) {
    this.marks.push({ ...mark, ...this.#answer('markRead', mark, answer) });
  }

  // Something else was asked.
  note(what, { room, user }, answer) {
    this.#answer(what, { room, user }, answer);
  }

  // Answers by their reason: {OK: 1000, MUTED: 3, ...}
  get counts() {
    const done = [...this.posts, ...this.changes, ...this.marks].filter(({ ok }) => ok).length;
    const counts = { OK: done };
    for (const { reason } of this.refusals) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
  }

  // `logs`: room → events as proto3 JSON. What is wrong, in words.
  audit(logs) {
    return [
      ...this.refusals.flatMap((refusal) => unexplained(refusal, logs)),
      ...this.posts.flatMap((post) => this.#auditPost(post, logs.get(post.room))),
      ...this.changes.flatMap((change) => this.#auditChange(change, logs.get(change.room))),
      ...[...logs].flatMap(([room, log]) => this.#auditLog(room, log)),
    ];
  }

  // Where the user's read pointer of the room can stand: what was acked, where the user has posted
  // last or come in, and more only if an answer was lost.
  pointers(room, user, log) {
    const own = ({ messagePosted, actor, memberAdded }) =>
      (messagePosted && actor?.id === user) || memberAdded?.userId === user;
    const marks = this.marks.filter((mark) => mark.room === room && mark.user === user);
    const acked = marks.filter(({ ok }) => ok).map(({ seq }) => seq);
    const least = Math.max(0, log.findLast(own)?.seq ?? 0, ...acked);
    const maybe = marks.filter(({ ok, isRepeat }) => !ok && isRepeat).map(({ asked }) => asked);
    return [least, ...maybe.filter((seq) => seq > least)];
  }

  #answer(what, { room, user }, { ok, seq, messageId, isRepeat, ...rest }) {
    const reason = rest.error?.reason;
    if (!ok) this.refusals.push({ what, room, user, reason });
    return { ok: ok === true, seq, messageId, isRepeat, reason };
  }

  #auditPost(post, log) {
    const entry = log[(post.seq ?? 0) - 1];
    if (post.ok) {
      const { messagePosted: message, actor } = entry ?? {};
      const same = message?.messageId === post.messageId && (actor?.id ?? '') === post.user;
      return same ? [] : [`${describe(post)}: acked, but there stands ${JSON.stringify(entry)}`];
    }
    const stands = log.some(
      ({ messagePosted, actor }) =>
        messagePosted?.clientMsgId === post.id && actor?.id === post.user,
    );
    return stands && !post.isRepeat ? [`${describe(post)}: refused, but it stands in the log`] : [];
  }

  #auditChange(change, log) {
    if (!change.ok) return [];
    const entry = log[change.seq - 1];
    const same =
      entry?.[change.kind]?.messageId === change.target && (entry.actor?.id ?? '') === change.user;
    return same ? [] : [`${describe(change)}: acked, but there stands ${JSON.stringify(entry)}`];
  }

  // Every message was posted by somebody and says what it was last made to say.
  #auditLog(room, log) {
    const here = (entry) => entry.room === room;
    const posts = this.posts.filter(here);
    const byId = new Map(posts.filter(({ ok }) => ok).map((post) => [post.messageId, post]));
    const byKey = new Map(posts.map((post) => [`${post.user} ${post.id}`, post]));
    const edits = this.changes.filter((change) => here(change) && change.ok);
    const bySeq = new Map(edits.map((edit) => [edit.seq, edit]));
    return log.flatMap((event) => {
      const { messagePosted: message, actor } = event;
      if (!message) return [];
      const post = byId.get(message.messageId) ?? byKey.get(`${actor?.id} ${message.clientMsgId}`);
      if (!post) return [`nobody posted ${JSON.stringify(event)}`];
      const last = message.editedSeq > 0 ? bySeq.get(message.editedSeq) : post;
      if (message.deleted || !last || last.content === message.content) return [];
      return [`${JSON.stringify(event)} should say ${JSON.stringify(last.content)}`];
    });
  }
}

function unexplained({ what, room, user, reason }, logs) {
  const where = `${user} in ${room}: ${what} was refused with ${reason}`;
  const explains = REASONS[reason];
  if (explains === undefined) return [where];
  if (explains === null || logs.get(room).some((event) => explains(event, user))) return [];
  return [`${where}, and nothing in the log explains it`];
}

const describe = (entry) => JSON.stringify(entry);
