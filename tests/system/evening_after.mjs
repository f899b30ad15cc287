// evening_after.mjs: after an evening: the store's logs, what everybody's view has to be by them,
// and where it differs.
import { clientEventOf } from '../support/client_events.mjs';
import { until } from '../support/until.mjs';
import { RoomStory } from './room_story.mjs';

export class After {
  constructor(evening) {
    this.evening = evening;
    this.logs = new Map(); // room → events as proto3 JSON
    this.told = new Map(); // → as clients are told them
    this.stories = new Map(); // → what they tell of the room
    this.late = []; // Who did not get everything in time.
  }

  // Nobody acts any more. Reads the store; whoever is a member comes in once more, and everybody
  // waits for what is missing.
  async read() {
    const { evening } = this;
    for (const room of evening.rooms) {
      const log = await readLog(evening.grpc, room);
      const story = new RoomStory(room, log, { isPublic: evening.isPublic(room) });
      this.logs.set(room, log);
      this.told.set(room, log.map(clientEventOf));
      this.stories.set(room, story);
      for (const user of story.members)
        for (const device of evening.devices.get(user))
          if (!device.place(room).isIn) device.enter(room);
    }
    await evening.settled();
    const behind = () => [...this.views()].filter(([, , view, end]) => view.last !== end);
    const names = () => behind().slice(0, 3).map(([name, room]) => `${name} in ${room}`);
    await until('everybody has everything', () => behind().length === 0, 30_000, () =>
      names().join(', '),
    ).catch((error) => this.late.push(error.message)); // The comparison says more.
  }

  // [whose, room, view, seq it has to end with] of every client and room. Who is no member has seen
  // no more since the device left, for it was removed, or cut off and refused when it came back.
  *views() {
    for (const [room, log] of this.logs) {
      const story = this.stories.get(room);
      for (const device of this.evening.allDevices) {
        const { view, isIn } = device.place(room);
        const end = isIn ? story.person(device.user).removedAt : view.last;
        yield [device.name, room, view, story.isMember(device.user) ? log.length : end];
      }
    }
    for (const [name, { room, view }] of this.evening.watchers)
      yield [name, room, view, this.logs.get(room).length];
  }

  // Where views differ from the store's, in words.
  get differences() {
    return [...this.views()].flatMap(([name, room, view, end]) => {
      const difference = view.difference(this.told.get(room));
      if (difference) return [`${name}, ${room}, ${difference}`];
      return view.last === end ? [] : [`${name}, ${room}: ends with ${view.last}, not with ${end}`];
    });
  }

  // Typing ends by itself, also of who is gone.
  silence() {
    const typists = () =>
      this.evening.allDevices.flatMap(({ name, places }) =>
        [...places].flatMap(([room, place]) =>
          [...place.typists].map((user) => `${name} sees ${user} type in ${room}`),
        ),
      );
    const quiet = () => typists().length === 0;
    return until('nobody types any more', quiet, 15_000, () => typists().slice(0, 3).join('; '));
  }

  // What kind of an evening it was.
  summary() {
    const { allDevices: devices, rooms, books } = this.evening;
    const events = [...this.logs.values()].reduce((sum, log) => sum + log.length, 0);
    const places = devices.flatMap((device) => [...device.places.values()]);
    const given = places.reduce((sum, { view }) => sum + view.events.length, 0);
    const count = (name) => devices.reduce((sum, device) => sum + device[name], 0);
    const answers = Object.entries(books.counts).map(([word, times]) => `${word} ${times}`);
    return (
      `${events} events in ${rooms.length} rooms, ${given} given to ` +
      `${devices.length} devices; ${count('losses')} connections lost, ` +
      `${count('unheard')} answers; ${answers.join(', ')}`
    );
  }
}

async function readLog(grpc, roomId) {
  const log = [];
  for (let more = true; more; ) {
    const asked = { roomId, afterSeq: log.length, limit: 500 };
    const page = await grpc.call('MessageService/ListEvents', asked);
    log.push(...page.events);
    more = page.more;
  }
  return log;
}
