/** This process holds so many answers already that there is no room for more of this one. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

/** Bytes of answers that are held until they are whole, of all who wait for one together. */
export class AnswerRoom {
  private held = 0;

  constructor(private readonly bytes: number) {}

  /** @throws {NoRoomError} */
  take(bytes: number): void {
    if (this.held + bytes > this.bytes) throw new NoRoomError(`${this.held} bytes of answers are held already`);
    this.held += bytes;
  }

  giveBack(bytes: number): void {
    this.held -= bytes;
  }
}

const MIB = 1024 * 1024;

/** Four of the longest there may be, and thousands of usual ones. */
export const ANSWER_ROOM = new AnswerRoom(256 * MIB);
