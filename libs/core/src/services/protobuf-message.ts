/** The fields of one message of Protocol Buffers, by number; numbers of varints are not needed here and left out. */
export type MessageFields = ReadonlyMap<number, readonly Uint8Array[]>;

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** @throws {RangeError} when it is none */
export function readMessage(bytes: Uint8Array): MessageFields {
  const fields = new Map<number, Uint8Array[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 63) throw new RangeError('not a message: a number does not end');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError('not a message: a field is longer than it');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (type === VARINT) varint();
    else if (type === FIXED_64) add(fields, number, take(8));
    else if (type === BYTES) add(fields, number, take(varint()));
    else if (type === FIXED_32) take(4);
    else throw new RangeError(`not a message: field ${number} has the type ${type}`);
  }
  return fields;
}

export function textField(fields: MessageFields, number: number): string | null {
  const bytes = fields.get(number)?.at(-1);
  return bytes === undefined ? null : new TextDecoder().decode(bytes);
}

const ENTRIES = 1;
const [KEY, VALUE] = [1, 2];
const [NUMBER, TEXT] = [2, 3];

/** The texts and numbers of a `google.protobuf.Struct`; what else is in it is left out. */
export function structFields(bytes: Uint8Array): ReadonlyMap<string, string | number> {
  const found = new Map<string, string | number>();
  for (const entry of readMessage(bytes).get(ENTRIES) ?? []) {
    const pair = readMessage(entry);
    const value = readMessage(pair.get(VALUE)?.at(-1) ?? new Uint8Array());
    const number = value.get(NUMBER)?.at(-1);
    const content = number === undefined ? textField(value, TEXT) : doubleOf(number);
    if (content !== null) found.set(textField(pair, KEY) ?? '', content);
  }
  return found;
}

function doubleOf(bytes: Uint8Array): number | null {
  return bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true) : null;
}

function add(fields: Map<number, Uint8Array[]>, number: number, value: Uint8Array): void {
  const known = fields.get(number);
  if (known === undefined) fields.set(number, [value]);
  else known.push(value);
}
