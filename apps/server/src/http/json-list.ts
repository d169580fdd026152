const [OPEN, COMMA, CLOSE] = [...Buffer.from('[,]')] as [number, number, number];

/** A reply that is a list, each of its items JSON already. */
export class JsonList {
  constructor(readonly items: readonly string[]) {}

  /** Written in one go: a text of all would be made, measured and converted, each time hundreds of KB. */
  bytes(): Buffer {
    const { items } = this;
    const commas = Math.max(0, items.length - 1);
    const bytes = Buffer.allocUnsafe(items.reduce((sum, item) => sum + Buffer.byteLength(item), 2 + commas));
    bytes[0] = OPEN;
    let at = 1;
    for (const [index, item] of items.entries()) {
      if (index > 0) bytes[at++] = COMMA;
      at += bytes.write(item, at);
    }
    bytes[at] = CLOSE;
    return bytes;
  }

  /** What it says. */
  values(): unknown[] {
    return this.items.map((item): unknown => JSON.parse(item));
  }
}
