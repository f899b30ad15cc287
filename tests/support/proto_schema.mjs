// proto_schema.mjs: the messages of proto/confab/v1 to and from bytes, under the names and in the
// shapes of proto3 JSON as confabctl prints it: what is empty or 0 stands there too. But 64-bit
// integers are numbers. Read from the .proto files by protoc.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { at, decode as readFields, encode as writeFields } from './proto_wire.mjs';

const PROTO_DIR = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../proto');
const TYPE = { bool: 8, message: 11, bytes: 12, string: 9, enum: 14 }; // descriptor.proto
const REPEATED = 3n;
const TIMESTAMP = '.google.protobuf.Timestamp';

const text = (buffer, ...fields) => at(buffer, ...fields)?.toString() ?? '';
const all = (buffer, field) => readFields(buffer).get(field) ?? [];

export class ProtoSchema {
  // `dir`: where a file may be left.
  constructor(dir) {
    this.messages = new Map(); // ".confab.v1.Event" → Map(field's name → field)
    this.enums = new Map(); // → Map(number → name)
    this.maps = new Set(); // Names of the messages that are entries of maps.
    this.methods = new Map(); // "RoomService/GetRoom" → {request, response, path}
    const folder = `${PROTO_DIR}/confab/v1`;
    const files = fs.readdirSync(folder).filter((name) => name.endsWith('_service.proto'));
    const sources = files.map((name) => `${folder}/${name}`);
    const compiled = `${dir}/services.protoset`;
    execFileSync('protoc', ['-I', PROTO_DIR, '--include_imports', '-o', compiled, ...sources]);
    for (const file of all(fs.readFileSync(compiled), 1)) {
      const scope = `.${text(file, 2)}`;
      for (const message of all(file, 4)) this.#addMessage(scope, message);
      for (const words of all(file, 5)) this.#addEnum(scope, words);
      for (const service of all(file, 6)) this.#addService(scope.slice(1), service);
    }
  }

  // REQUIRES: each member of `object` is a field.
  encode(type, object) {
    return writeFields(this.#fieldsOf(type, object));
  }

  decode(type, buffer) {
    if (type === TIMESTAMP) return timeText(buffer);
    const raw = readFields(buffer);
    const object = {};
    for (const [name, field] of this.messages.get(type)) {
      const values = raw.get(field.number)?.map((value) => this.#read(field, value));
      if (values === undefined) {
        const unset = this.#unset(field);
        if (unset !== undefined) object[name] = unset;
        continue;
      }
      if (this.maps.has(field.type))
        object[name] = Object.fromEntries(values.map(({ key, value }) => [key, value]));
      else object[name] = field.isRepeated ? values : values.at(-1);
    }
    return object;
  }

  #unset(field) {
    if (field.isRepeated) return this.maps.has(field.type) ? {} : [];
    if (field.hasPresence || field.kind === TYPE.message) return undefined;
    if (field.kind === TYPE.enum) return this.enums.get(field.type).get(0);
    if (field.kind === TYPE.string) return '';
    if (field.kind === TYPE.bytes) return Buffer.alloc(0);
    return field.kind === TYPE.bool ? false : 0;
  }

  #read(field, value) {
    if (field.kind === TYPE.message) return this.decode(field.type, value);
    if (field.kind === TYPE.enum) return this.enums.get(field.type).get(Number(value));
    if (field.kind === TYPE.string) return value.toString();
    if (field.kind === TYPE.bytes) return value;
    return field.kind === TYPE.bool ? value === 1n : Number(value);
  }

  #fieldsOf(type, object) {
    return Object.entries(object).flatMap(([name, given]) => {
      const field = this.messages.get(type).get(name);
      if (field === undefined) throw new Error(`${type} has no field ${name}`);
      let values = field.isRepeated ? given : [given];
      if (this.maps.has(field.type))
        values = Object.entries(given).map(([key, value]) => ({ key, value }));
      return values.map((value) => [field.number, this.#write(field, value)]);
    });
  }

  #write(field, value) {
    if (field.kind === TYPE.message) return this.#fieldsOf(field.type, value);
    if (field.kind === TYPE.enum)
      return [...this.enums.get(field.type)].find(([, word]) => word === value)[0];
    return field.kind === TYPE.bool ? Number(value) : value;
  }

  #addMessage(scope, message) {
    const name = `${scope}.${text(message, 1)}`;
    const fields = all(message, 2).map((field) => [
      text(field, 10),
      {
        number: Number(at(field, 3)),
        isRepeated: at(field, 4) === REPEATED,
        kind: Number(at(field, 5)),
        type: text(field, 6),
        hasPresence: at(field, 9) !== undefined, // One of several, or optional.
      },
    ]);
    this.messages.set(name, new Map(fields));
    if (at(message, 7, 7) === 1n) this.maps.add(name);
    for (const nested of all(message, 3)) this.#addMessage(name, nested);
    for (const words of all(message, 4)) this.#addEnum(name, words);
  }

  #addEnum(scope, words) {
    const values = all(words, 2).map((value) => [Number(at(value, 2) ?? 0), text(value, 1)]);
    this.enums.set(`${scope}.${text(words, 1)}`, new Map(values));
  }

  #addService(scope, service) {
    const name = text(service, 1);
    for (const method of all(service, 2)) {
      const verb = text(method, 1);
      this.methods.set(`${name}/${verb}`, {
        path: `/${scope}.${name}/${verb}`,
        request: text(method, 2),
        response: text(method, 3),
      });
    }
  }
}

// RFC 3339 with as many digits as are needed of 0, 3, 6 and 9.
function timeText(buffer) {
  const seconds = Number(at(buffer, 1) ?? 0n);
  let digits = String(at(buffer, 2) ?? 0n).padStart(9, '0');
  while (digits.endsWith('000')) digits = digits.slice(0, -3);
  return new Date(seconds * 1000).toISOString().replace(/\.000Z$/, digits ? `.${digits}Z` : 'Z');
}
