// evening_heralds.mjs: services that push all evening, over gRPC, over HTTP and with confabctl:
// into inboxes and rooms' logs, what only its newest value counts of, and what may be missed. Each
// does one thing after the other and asks again, with the same key, where an answer was lost.
import { pause } from '../support/pause.mjs';
import { mint } from '../support/tokens.mjs';
import { OperatorHand, ServiceHand } from './evening_hands.mjs';
import { asBody, asMessage } from './evening_pushes.mjs';

const TIMES = { remindSomebody: 12, remindSeveral: 3, post: 2, count: 6, call: 4 };
const DECK = Object.entries(TIMES).flatMap(([act, times]) => Array(times).fill(act));
const SEVERAL = 5;
const RETRY_MS = 50;
const MISSED_MS = 60_000; // What comes later than that is of no use.

// Pushes one after the other, as a service; answers [{outcome, error, isRepeat}].
export class GrpcVoice {
  constructor(evening) {
    this.service = 'evening';
    this.hand = new ServiceHand(evening);
  }

  async push(pushes) {
    const notifications = pushes.map(asMessage);
    if (pushes.length > 1) return this.#batch(notifications);
    const [notification] = notifications;
    return [await this.hand.do('NotificationService/Notify', { notification })];
  }

  // Each for itself: those that control was not ready for are tried again.
  async #batch(notifications) {
    for (let isRepeat = false; ; ) {
      const answer = await this.hand.do('NotificationService/NotifyBatch', { notifications });
      const { results, error } = answer;
      isRepeat ||= answer.isRepeat;
      if (error) return notifications.map(() => ({ error }));
      if (!results.some((each) => each.error?.retryable))
        return results.map((each) => ({ ...each, isRepeat }));
      isRepeat = true;
      await pause(RETRY_MS);
    }
  }
}

export class HttpVoice {
  constructor(evening, http) {
    this.service = 'evening';
    this.http = http;
    const claims = { aud: 'control', scope: 'notify' };
    this.token = mint(evening.cluster.serviceSecret, this.service, claims);
  }

  async push(pushes) {
    const answers = [];
    for (const each of pushes) {
      const { ok, error, isRepeat, ...told } = await this.http.notify(this.token, asBody(each));
      answers.push(ok ? { outcome: told, isRepeat } : { error, isRepeat });
    }
    return answers;
  }
}

// Is not told what became of each.
export class LinesVoice {
  constructor(evening) {
    this.service = 'confabctl';
    this.hand = new OperatorHand(evening.cluster);
  }

  async push(pushes) {
    const lines = pushes.map((each) => `${JSON.stringify(asMessage(each))}\n`).join('');
    for (;;) {
      const { error } = await this.hand.feed(lines, 'push', 'lines');
      const { refusals = [] } = error?.out ? JSON.parse(error.out) : {};
      if (!refusals.some((refusal) => refusal.error.retryable))
        return pushes.map(() => ({ error }));
      await pause(RETRY_MS);
    }
  }
}

export class Herald {
  // `several`: to how many users it says something at a time.
  constructor(evening, name, voice, several = SEVERAL) {
    Object.assign(this, { evening, name, voice, several });
    this.random = evening.randomFor(name);
  }

  // So many acts, spread over the whole evening.
  async work(acts, deck = DECK) {
    for (let i = 0; i < acts; ++i) {
      await this.evening.comesTo(i / acts);
      await this[this.random.of(deck)]();
    }
  }

  // Into the user's inbox.
  remind(userId) {
    return this.#tell([this.#push({ userId }, 'reminder', 'logged')]);
  }

  remindSomebody() {
    return this.remind(this.random.of(this.evening.users));
  }

  // Somebody may be told twice.
  remindSeveral() {
    const users = Array.from({ length: this.several }, () => this.random.of(this.evening.users));
    return this.remindAll(users);
  }

  remindAll(users) {
    return this.#tell(users.map((userId) => this.#push({ userId }, 'reminder', 'logged')));
  }

  // Into a room's log.
  post() {
    const roomId = this.random.of(this.evening.rooms);
    return this.#tell([this.#push({ roomId }, 'house_news', 'logged')]);
  }

  // The next value of something.
  count() {
    const { evening, random } = this;
    return this.countTo(
      random.of([
        { userId: random.of(evening.users) },
        { roomId: random.of(evening.rooms) },
        { role: random.of(['host', 'visitor']) },
        { everybody: {} },
      ]),
    );
  }

  // Several values at once; resolves with the pushes.
  async countTo(target, times = 1) {
    const options = { key: this.name };
    const pushes = Array.from({ length: times }, () =>
      this.#push(target, 'score', 'latest', options),
    );
    await this.#tell(pushes);
    return pushes;
  }

  // To whoever is there.
  async call(target = this.random.of([{ role: 'host' }, { role: 'visitor' }, { everybody: {} }])) {
    const push = this.#push(target, 'last_orders', 'droppable', { ttlMs: MISSED_MS });
    await this.#tell([push]);
    return push;
  }

  // Kept if the user is not there.
  async seek(userId) {
    const push = this.#push({ userId }, 'seek', 'droppable', { storeIfAbsent: true });
    await this.#tell([push]);
    return push;
  }

  #push(...what) {
    return this.evening.pushes.write(this.voice.service, ...what);
  }

  async #tell(pushes) {
    const { pushes: books } = this.evening;
    const answers = await this.voice.push(pushes);
    answers.forEach(({ outcome, error, isRepeat }, i) => {
      if (error) books.refuse(pushes[i], error);
      else if (outcome) books.answer(pushes[i], outcome, isRepeat);
    });
  }
}

// The heralds of an evening, at work.
export function heralds(evening, http, { acts, batches }) {
  const lines = new Herald(evening, 'crier', new LinesVoice(evening), 2 * SEVERAL);
  return [
    evening.herald.work(acts),
    new Herald(evening, 'page', new HttpVoice(evening, http)).work(Math.ceil(acts / 2)),
    lines.work(batches, ['remindSeveral']),
  ];
}
