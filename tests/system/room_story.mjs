// room_story.mjs: reads a room's log from its first event on and holds each against what the room's
// rules were at that place: nothing stands in a log that was not permitted there. Knows at the end
// who is a member, who is muted and banned, and how the room is set.
// A log's order is the truth, so this is exact, whatever was going on at the same time.

const RANK = ['ROLE_UNSPECIFIED', 'ROLE_READER', 'ROLE_MEMBER', 'ROLE_MODERATOR', 'ROLE_OWNER'];
const rank = (role) => RANK.indexOf(role);
const MODERATOR = rank('ROLE_MODERATOR');
const FOR_EVER = Infinity;

export class RoomStory {
  // `log`: events as proto3 JSON, from seq 1 on.
  constructor(room, log, { isPublic }) {
    this.room = room;
    this.people = new Map(); // user → {role, mutedUntil, bannedUntil in ms, removedAt: seq}
    this.messages = new Map(); // messageId → {seq, sender, isDeleted}
    this.settings = { isPublic, isArchived: false, isReadOnly: false };
    this.faults = [];
    log.forEach((event, i) => {
      if (event.seq !== i + 1) this.#fault(event, `stands where ${i + 1} should`);
      const before = log[i - 1];
      if (before && Date.parse(before.createdAt) > Date.parse(event.createdAt))
        this.#fault(event, 'is older than the one before it');
      this.#tell(event);
    });
  }

  person(user) {
    const stranger = { role: RANK[0], mutedUntil: 0, bannedUntil: 0, removedAt: 0 };
    if (!this.people.has(user)) this.people.set(user, stranger);
    return this.people.get(user);
  }

  isMember(user) {
    return rank(this.person(user).role) > 0;
  }

  // Who is one.
  get members() {
    return [...this.people.keys()].filter((user) => this.isMember(user));
  }

  #fault(event, what) {
    this.faults.push(`${this.room}: ${JSON.stringify(event)} ${what}`);
  }

  #tell(event) {
    const kind = Object.keys(RULES).find((name) => event[name] !== undefined);
    if (kind === undefined) return this.#fault(event, 'is of no known kind');
    const at = Date.parse(event.createdAt);
    const actor = event.actor?.id ?? '';
    const whose = actor === '' ? { rank: RANK.length, isSystem: true } : this.#standing(actor, at);
    const wrong = RULES[kind](this, event[kind], { event, at, actor, whose });
    if (wrong) this.#fault(event, wrong);
  }

  #standing(user, at) {
    const { role, mutedUntil, bannedUntil } = this.person(user);
    return { rank: rank(role), isMuted: mutedUntil > at, isBanned: bannedUntil > at };
  }

  // Who writes needs a voice; the system always has one.
  speech({ whose }) {
    if (whose.isSystem) return undefined;
    if (whose.rank < rank('ROLE_MEMBER')) return 'is by somebody without a voice';
    if (whose.isMuted) return 'is by somebody who is muted';
    if (this.settings.isReadOnly && whose.rank < MODERATOR) return 'is in a read-only room';
    return this.archived({ whose });
  }

  archived({ whose }) {
    return this.settings.isArchived && !whose.isSystem ? 'is in an archived room' : undefined;
  }

  // Who manages somebody is a moderator.
  managing({ whose }) {
    return whose.rank < MODERATOR ? 'is by nobody who may manage others' : undefined;
  }
}

const until = (restriction) =>
  restriction.until === undefined ? FOR_EVER : Date.parse(restriction.until);

// What is wrong with an event, or what it changes.
const RULES = {
  messagePosted(story, { messageId }, context) {
    const { event, actor } = context;
    if (story.messages.has(messageId)) return 'has an id that is taken';
    story.messages.set(messageId, { seq: event.seq, sender: actor, isDeleted: false });
    return story.speech(context);
  },
  messageEdited(story, { messageId, messageSeq }, context) {
    const message = story.messages.get(messageId);
    if (message?.seq !== messageSeq || message.isDeleted) return 'edits no message';
    if (message.sender === context.actor) return story.speech(context);
    return story.managing(context) ?? story.archived(context);
  },
  messageDeleted(story, { messageId, messageSeq }, context) {
    const message = story.messages.get(messageId);
    if (message?.seq !== messageSeq || message.isDeleted) return 'deletes no message';
    message.isDeleted = true;
    if (message.sender !== context.actor) return story.managing(context) ?? story.archived(context);
    return context.whose.rank < 1 ? 'is by no member' : story.archived(context);
  },
  notificationPosted(story, told, { whose }) {
    return whose.isSystem ? undefined : 'is by no service';
  },
  memberAdded(story, { userId, role }, context) {
    const person = story.person(userId);
    const isBanned = person.bannedUntil > context.at;
    if (rank(person.role) > 0) return 'adds who is there';
    Object.assign(person, { role, bannedUntil: 0 });
    if (userId !== context.actor) return story.managing(context);
    if (isBanned) return 'lets in who is banned';
    return story.settings.isPublic ? story.archived(context) : 'opens a private room';
  },
  memberRemoved(story, { userId }, context) {
    const person = story.person(userId);
    if (rank(person.role) < 1) return 'removes nobody';
    Object.assign(person, { role: RANK[0], removedAt: context.event.seq });
    return userId === context.actor ? undefined : story.managing(context);
  },
  memberRoleChanged(story, { userId, role }, context) {
    const person = story.person(userId);
    if (rank(person.role) < 1 || person.role === role) return 'changes no role';
    person.role = role;
    return story.managing(context);
  },
  memberBanned(story, { userId, ...ban }, context) {
    const person = story.person(userId);
    if (rank(person.role) > 0) person.removedAt = context.event.seq;
    Object.assign(person, { role: RANK[0], bannedUntil: until(ban) });
    return story.managing(context);
  },
  memberUnbanned(story, { userId }, context) {
    story.person(userId).bannedUntil = 0;
    return story.managing(context);
  },
  memberMuted(story, { userId, ...mute }, context) {
    const person = story.person(userId);
    person.mutedUntil = until(mute);
    return rank(person.role) < 1 ? 'mutes nobody' : story.managing(context);
  },
  memberUnmuted(story, { userId }, context) {
    story.person(userId).mutedUntil = 0;
    return story.managing(context);
  },
  roomUpdated(story, { visibility, isArchived, isReadOnly }, context) {
    const isPublic = visibility === 'ROOM_VISIBILITY_PUBLIC';
    const wasArchived = story.archived(context);
    story.settings = { isPublic, isArchived, isReadOnly };
    return story.managing(context) ?? wasArchived;
  },
};
