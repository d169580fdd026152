/** What is offered of Oracle's shapes: those that the images fit. */
const OFFERED: readonly RegExp[] = [
  /^VM\.Standard2\./,
  /^VM\.Standard\.E[45]\.Flex$/,
  /^BM\.Standard[23]\./,
  /^BM\.Standard\.E[345]\./,
  /^BM\.Optimized3\./,
  /^(VM|BM)\.GPU3\./,
  /^BM\.GPU4\./,
  /^(VM|BM)\.GPU\.A10\./,
  /^BM\.GPU\.(A100-v2|L40S|H100|H200)\./,
];

/** Preemptible machines are marked, since not every reader of the catalog knows them. */
const KNOWN_FLAGS: ReadonlySet<string> = new Set(['oci-spot']);

export function isOffered({ name, flags }: { readonly name: string; readonly flags: readonly string[] }): boolean {
  return OFFERED.some((pattern) => pattern.test(name)) && flags.every((flag) => KNOWN_FLAGS.has(flag));
}

export function hasGpus(shape: string): boolean {
  return /\.GPU/.test(shape);
}

/** Its processors and memory are chosen. */
export function isFlexible(shape: string): boolean {
  return shape.endsWith('.Flex');
}

/** A core of x86 is two virtual processors. */
export function coresOf(cpus: number): number {
  return cpus / 2;
}
