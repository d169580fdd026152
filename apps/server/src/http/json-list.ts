const [OPEN, COMMA, CLOSE] = [...Buffer.from('[,]')] as [number, number, number];

/** JSON in pieces, each of them text or its bytes. */
export type JsonText = readonly (string | Buffer)[];

/** A reply that is a list, each of its items JSON already. */
export class JsonList {
  constructor(readonly items: readonly JsonText[]) {}

  /** Written in one go: a text of all would be made, measured and converted, each time hundreds of KB. */
  bytes(): Buffer {
    const { items } = this;
    const commas = Math.max(0, items.length - 1);
    const bytes = Buffer.allocUnsafe(items.reduce((sum, item) => sum + lengthOf(item), 2 + commas));
    bytes[0] = OPEN;
    let at = 1;
    for (const [index, item] of items.entries()) {
      if (index > 0) bytes[at++] = COMMA;
      for (const piece of item) at += typeof piece === 'string' ? bytes.write(piece, at) : piece.copy(bytes, at);
    }
    bytes[at] = CLOSE;
    return bytes;
  }

  /** What it says. */
  values(): unknown[] {
    return this.items.map((item): unknown => JSON.parse(item.join('')));
  }
}

function lengthOf(item: JsonText): number {
  return item.reduce((sum, piece) => sum + (typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length), 0);
}
