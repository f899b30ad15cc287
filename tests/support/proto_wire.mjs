// proto_wire.mjs: just enough of protobuf's wire format to speak confab.v1.proto in a test: fields
// of strings, varints and messages. A message is written as [[field, value], ...] and read as a
// Map of field → list of values (BigInt for varints, Buffer for the rest).

function varint(value) {
  const bytes = [];
  for (let rest = BigInt(value); ;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === 0n) return Buffer.from([...bytes, low]);
    bytes.push(low | 0x80);
  }
}

// Values: string, number or bigint, Buffer, or a nested list of fields.
export function encode(fields) {
  const parts = fields.map(([number, value]) => {
    if (typeof value === 'number' || typeof value === 'bigint')
      return Buffer.concat([varint(number << 3), varint(value)]);
    const body = Array.isArray(value) ? encode(value) : Buffer.from(value);
    return Buffer.concat([varint((number << 3) | 2), varint(body.length), body]);
  });
  return Buffer.concat(parts);
}

export function decode(buffer) {
  const fields = new Map();
  let at = 0;
  const next = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= buffer.length) throw new Error('cut off varint');
      const byte = buffer[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < buffer.length) {
    const tag = Number(next());
    const number = tag >> 3;
    let value;
    if ((tag & 7) === 0) value = next();
    else if ((tag & 7) === 2) {
      const length = Number(next());
      if (at + length > buffer.length) throw new Error('cut off field');
      value = buffer.subarray(at, at + length);
      at += length;
    } else throw new Error(`wire type ${tag & 7} is not read here`);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

// The last value along a path of field numbers; undefined if any is absent.
export function at(buffer, ...path) {
  let value = buffer;
  for (const number of path) {
    if (value === undefined) return undefined;
    value = decode(value).get(number)?.at(-1);
  }
  return value;
}
