/**
 * A YAML number whose text says more than its value: `3.10`, `1.0`, `0x1F`. Fields of text take the text
 * (`python: 3.10` is Python 3.10), fields of numbers the value.
 */
export class SourcedNumber {
  constructor(
    readonly value: number,
    readonly source: string,
  ) {}

  toJSON(): number {
    return this.value;
  }
}
