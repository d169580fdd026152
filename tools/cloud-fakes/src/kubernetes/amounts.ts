const UNITS: Readonly<Record<string, number>> = { '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }; // prettier-ignore

/** Quantities as nodes and pods of the fake have them. */
export function parseAmount(text: string): number {
  const [, number = 'NaN', unit = ''] = /^(\d+(?:\.\d+)?)(\w*)$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}
