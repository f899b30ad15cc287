// presence_view.mjs: who is online, as one connection was told: a snapshot replaces everything, a
// change applies.

// A status with its few words, as one text.
export const lookOf = (status, text) => `${status} ${text ?? ''}`.trim();

export class PresenceView {
  constructor(name, user) {
    this.name = name;
    this.user = user;
    this.faults = [];
    this.changes = []; // {userId, status, ...}, of all connections.
    this.begin();
  }

  // A new connection knows nobody.
  begin() {
    this.online = new Map(); // user → look
  }

  take(event) {
    const { online, userId, status, text } = event;
    if ((online ?? [userId]).includes(this.user))
      this.faults.push(`${this.name} is told of its own user: ${JSON.stringify(event)}`);
    if (online) {
      this.online = new Map(online.map((user) => [user, lookOf('online')]));
      if (this.online.size < online.length)
        this.faults.push(`${this.name} is told of somebody twice: ${online}`);
      return;
    }
    this.changes.push(event);
    if (status === 'offline') this.online.delete(userId);
    else this.online.set(userId, lookOf(status, text));
  }
}
