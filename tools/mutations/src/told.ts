/** What became of one story. */
export interface Told {
  /** Promises that were broken; none: the story ended well. */
  readonly violations: readonly string[];
}
