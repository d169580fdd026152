const SCALES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/;

/** A quantity as Kubernetes writes it (`250m`, `16Gi`, `1e3`) in base units: processors, bytes, devices. @throws {RangeError} */
export function parseQuantity(text: string): number {
  const [, number, exponent, suffix = ''] = QUANTITY.exec(text.trim()) ?? [];
  const scale = exponent === undefined ? SCALES[suffix] : 10 ** Number(exponent);
  if (number === undefined || scale === undefined) throw new RangeError(`not a quantity of Kubernetes: ${text}`);
  return Number(number) * scale;
}

const MIB = 2 ** 20;

export function toMib(text: string): number {
  return Math.floor(parseQuantity(text) / MIB);
}

export function mib(count: number): string {
  return `${Math.ceil(count)}Mi`;
}
