// evening_staff.mjs: what moderators, a service and an operator do all evening: they let people in
// and throw them out, mute them, mend and remove what they said, and set the rooms' rules.

const TIMES = {
  admit: 8,
  kick: 3,
  ban: 3,
  unban: 2,
  mute: 3,
  unmute: 3,
  setRole: 3,
  correct: 5,
  censor: 4,
  announce: 6,
  describe: 2,
  hush: 2,
};
const RECENT = 30; // Messages that somebody still looks at.
const DECK = Object.entries(TIMES).flatMap(([act, times]) => Array(times).fill(act));

export class Staff {
  // `rooms`: where it works; `hand`: how; `rules`: what it may set for a while, of `update`.
  constructor(evening, name, { rooms, hand, rules }) {
    Object.assign(this, { evening, name, rooms, hand, rules });
    this.random = evening.randomFor(name);
    this.count = 0;
    this.muted = new Map(rooms.map((room) => [room, new Set()]));
    this.banned = new Map(rooms.map((room) => [room, new Set()]));
  }

  async work(acts) {
    for (let i = 0; i < acts; ++i) {
      const room = this.random.of(this.rooms);
      await this[this.random.of(DECK)](room, this.random.of(this.evening.guests));
      ++this.evening.acts;
    }
  }

  // Rather somebody who was there before.
  async admit(room, stranger) {
    const guest = this.random.of([...this.evening.outside.get(room)]) ?? stranger;
    if (!(await this.#do('add', room, guest, 'member'))) return;
    this.evening.outside.get(room).delete(guest);
    this.evening.comesIn(guest, room);
  }

  async kick(room, guest) {
    if (await this.#do('kick', room, guest)) this.evening.outside.get(room).add(guest);
  }

  async ban(room, guest) {
    if (!(await this.#do('ban', room, guest, this.random.of([0, 1, 600])))) return;
    this.evening.outside.get(room).add(guest);
    this.banned.get(room).add(guest);
  }

  async unban(room, stranger) {
    const guest = this.random.of([...this.banned.get(room)]) ?? stranger;
    await this.#do('unban', room, guest);
    this.banned.get(room).delete(guest);
  }

  async mute(room, guest) {
    if (await this.#do('mute', room, guest, this.random.of([0, 1, 600])))
      this.muted.get(room).add(guest);
  }

  async unmute(room, stranger) {
    const guest = this.random.of([...this.muted.get(room)]) ?? stranger;
    await this.#do('unmute', room, guest);
    this.muted.get(room).delete(guest);
  }

  async setRole(room, guest) {
    await this.#do('setRole', room, guest, this.random.of(['reader', 'member', 'member']));
  }

  async correct(room) {
    const target = this.#someMessage(room);
    if (!target) return;
    const content = `${this.name} puts it so ${++this.count}`;
    const answer = await this.hand.edit(room, target, content);
    const change = { room, user: this.hand.user, target, content };
    this.evening.books.change('messageEdited', change, answer);
  }

  async censor(room) {
    const target = this.#someMessage(room);
    if (!target) return;
    const answer = await this.hand.remove(room, target);
    this.evening.books.change('messageDeleted', { room, user: this.hand.user, target }, answer);
  }

  async announce(room) {
    const id = `${this.name}.${++this.count}`;
    const content = `${id}: attention in ${room}`;
    const answer = await this.hand.post(room, id, content);
    this.evening.books.post({ room, user: this.hand.user, id, content }, answer);
  }

  async describe(room) {
    const words = `number ${++this.count} by ${this.name}`;
    const changes = this.random.of([{ topic: words }, { metadata: { mood: words } }]);
    await this.#do('update', room, changes);
  }

  // A rule that holds while something is announced.
  async hush(room) {
    const [name, value, back] = this.random.of(this.rules);
    await this.#do('update', room, { [name]: value });
    await this.announce(room);
    await this.#do('update', room, { [name]: back });
  }

  // What the room's moderator has seen; it may be gone by now.
  #someMessage(room) {
    const [phone] = this.evening.devices.get(this.evening.moderatorOf(room));
    const { events } = phone.place(room).view;
    const messages = events.filter((event) => event.name === 'newMessage');
    return this.random.of(messages.slice(-RECENT))?.messageId;
  }

  async #do(act, room, ...args) {
    const answer = await this.hand[act](room, ...args);
    this.evening.books.note(act, { room, user: this.hand.user }, answer);
    return answer.ok;
  }
}
