import type * as Wire from '../wire/generated/api.js';
import { AVAILABILITIES } from './offer-table.js';

/** Sums up rows by group, in columns: a catalogue has a hundred thousand rows and thousands of groups. */
export class GpuTallies {
  private readonly counts: Spans;
  private readonly prices: Spans;
  private readonly spots: Uint8Array;
  private readonly availabilities: Uint8Array;

  constructor(private readonly groups: number) {
    this.counts = new Spans(groups);
    this.prices = new Spans(groups);
    this.spots = new Uint8Array(groups);
    this.availabilities = new Uint8Array(groups);
  }

  /** `availability` is an index into `AVAILABILITIES`, `price` USD per hour of the whole machine. */
  add(group: number, gpuCount: number, isSpot: boolean, availability: number, price: number): void {
    this.counts.add(group, gpuCount);
    this.prices.add(group, price / gpuCount);
    this.spots[group] = (this.spots[group] ?? 0) | (isSpot ? 1 : 2);
    this.availabilities[group] = (this.availabilities[group] ?? 0) | (1 << availability);
  }

  /** The groups that have rows. */
  used(): number[] {
    const used: number[] = [];
    for (let group = 0; group < this.groups; group += 1) if (this.spots[group] !== 0) used.push(group);
    return used;
  }

  of(group: number): Pick<Wire.GpuGroup, 'availability' | 'spot' | 'count' | 'price'> {
    return {
      availability: availabilitiesOf[this.availabilities[group] ?? 0] ?? [],
      spot: spotsOf[this.spots[group] ?? 0] ?? [],
      count: this.counts.of(group),
      price: this.prices.of(group),
    };
  }
}

/** By the bits of their indexes; groups share them. */
const availabilitiesOf = Array.from({ length: 2 ** AVAILABILITIES.length }, (_, bits) =>
  AVAILABILITIES.filter((_each, index) => ((bits >> index) & 1) === 1).sort(),
);
const spotsOf: Wire.GpuGroup['spot'][] = [[], ['spot'], ['on-demand'], ['on-demand', 'spot']];

class Spans {
  private readonly min: Float64Array;
  private readonly max: Float64Array;

  constructor(length: number) {
    this.min = new Float64Array(length).fill(Infinity);
    this.max = new Float64Array(length).fill(-Infinity);
  }

  add(index: number, value: number): void {
    if (value < (this.min[index] ?? 0)) this.min[index] = value;
    if (value > (this.max[index] ?? 0)) this.max[index] = value;
  }

  of(index: number): { readonly min: number; readonly max: number } {
    return { min: this.min[index] ?? 0, max: this.max[index] ?? 0 };
  }
}
