// client_events.mjs: what a client of the default dialect is told of an event: proto3 JSON in, the
// payload out, by the dialect's own file.
import fs from 'node:fs';

const file = new URL('../../edge/dialect/builtin/confab.json', import.meta.url);
const { events, notification } = JSON.parse(fs.readFileSync(file, 'utf8'));

// Names of the events that stand in a room's log, besides those that services give theirs.
export const LOGGED = new Set(Object.values(events).map(({ name }) => name));

// Whether a service has told it. `name` is then the service's own.
export const isOfService = ({ id, payload }) => id !== undefined && payload !== undefined;

// {name, ...payload}
export function clientEventOf(event) {
  if (event.notificationPosted) {
    const { notification: told } = event.notificationPosted;
    return filled(notification.payload, { ...told, payload: JSON.parse(told.json), room: event });
  }
  const kind = Object.keys(events).find((key) => event[key] !== undefined);
  if (kind === undefined) throw new Error(`no client is told of ${JSON.stringify(event)}`);
  const { name, payload } = events[kind];
  return { name, ...filled(payload, { ...event, ...event[kind] }) };
}

function filled(template, fields) {
  if (typeof template !== 'object') return slot(template, fields);
  const members = Object.entries(template).map(([name, value]) => [name, filled(value, fields)]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function slot(text, fields) {
  if (typeof text !== 'string' || !text.startsWith('$')) return text;
  const [, path, form, ifAny] = /^\$([\w.]+)(?::(\w+))?(\?)?$/.exec(text);
  const value = path.split('.').reduce((object, name) => object?.[name], fields) ?? '';
  if (isEmpty(value)) {
    if (ifAny) return undefined;
    if (form) return null;
  }
  if (form === 'json') return JSON.parse(value);
  if (/seq$/i.test(path)) return Number(value); // confabctl prints 64-bit integers as text.
  if (path === 'createdAt' || path === 'until') return new Date(value).toISOString(); // To the ms.
  return word(path, value);
}

const isEmpty = (value) => !value || value === '0' || (Array.isArray(value) && value.length === 0);

function word(path, value) {
  if (path !== 'role' && path !== 'visibility') return value;
  return value.replace(/^(ROLE|ROOM_VISIBILITY)_/, '').toLowerCase();
}
