import type { Wire } from '@dstack/core';

/** What a cloud sells under one name: the same wherever it is and whatever it costs. */
export interface CatalogType {
  readonly name: string;
  /** Null where the source does not say, as for slices of many hosts; such a type is no offer. */
  readonly cpus: number | null;
  readonly memoryMib: number | null;
  readonly gpu: CatalogGpu | null;
  readonly cpuArch: 'x86' | 'arm';
  /** Of the machine itself; null: chosen at creation. */
  readonly diskGb: number | null;
  /** Marks of the types that not everybody who reads a catalog understands, `runpod-cluster`. */
  readonly flags: readonly string[];
}

export interface CatalogGpu {
  readonly vendor: Wire.AcceleratorVendor;
  /** Canonical, as users write it in `resources.gpu`. */
  readonly name: string;
  readonly count: number;
  /** Of one. */
  readonly memoryMib: number;
}

/** Rows of one source and one day. */
export interface PriceSource {
  /** Where the figures come from, for people. */
  readonly source: string;
  /** When they held, as exact as it is known: `2026-06-18`, `2026`, `mid 2025`. */
  readonly date: string;
  /** False: computed from other figures, as `note` says. */
  readonly isExact: boolean;
  readonly note?: string;
}

/** One price: a type at a place, on demand or spot. */
export interface CatalogRow {
  readonly type: CatalogType;
  /** Region or zone, as the cloud names it. */
  readonly location: string;
  /** Of the whole machine, USD per hour. */
  readonly price: number;
  readonly isSpot: boolean;
  readonly source: PriceSource;
}
