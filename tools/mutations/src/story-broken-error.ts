/** The simulation itself broke off, which shows nothing about what it would have found. */
export class StoryBrokenError extends Error {
  override readonly name = 'StoryBrokenError';
}
