import { encodeLogFrame, type LogFrame, LogFrameDecoder } from './log-frame.js';

describe('log frames', () => {
  const frames = [
    { endOffset: 5, at: 1_700_000_000_000, payload: Buffer.from('hello') },
    { endOffset: 5, at: 1_700_000_000_001, payload: Buffer.alloc(0) },
    { endOffset: 2 ** 40, at: 1, payload: Buffer.from('far') },
  ];
  const bytes = Buffer.concat(frames.map(encodeLogFrame));

  /** Pieces of a frame put together again. */
  const joined = (pieces: readonly LogFrame[]): { at: number; endOffset: number; text: string }[] => {
    const whole: { at: number; endOffset: number; text: string }[] = [];
    for (const { at, endOffset, payload } of pieces) {
      const text = Buffer.from(payload).toString();
      const last = whole.at(-1);
      if (last !== undefined && last.at === at && payload.length > 0 && endOffset - payload.length === last.endOffset)
        whole[whole.length - 1] = { at, endOffset, text: last.text + text };
      else whole.push({ at, endOffset, text });
    }
    return whole;
  };

  it.each([1, 7, 20, 23, 1000])('come out, maybe in parts, from pieces of %d bytes', (step) => {
    const decoder = new LogFrameDecoder();
    const out = [];
    for (let at = 0; at < bytes.length; at += step) out.push(...decoder.push(bytes.subarray(at, at + step)));
    expect(joined(out)).toEqual(
      frames.map(({ at, endOffset, payload }) => ({ at, endOffset, text: payload.toString() })),
    );
  });

  it('are given as their bytes arrive', () => {
    const large = encodeLogFrame({ endOffset: 100_000, at: 1, payload: Buffer.alloc(100_000, 'x') });
    const decoder = new LogFrameDecoder();
    const ends = [large.subarray(0, 60_020), large.subarray(60_020, -1), large.subarray(-1)].map((piece) =>
      decoder.push(piece).map(({ endOffset, payload }) => [endOffset, payload.length]),
    );
    expect(ends).toEqual([[[60_000, 60_000]], [[99_999, 39_999]], [[100_000, 1]]]);
  });

  it('that are too large are refused before they are collected', () => {
    expect(() => new LogFrameDecoder(4).push(bytes)).toThrow(RangeError);
  });
});
