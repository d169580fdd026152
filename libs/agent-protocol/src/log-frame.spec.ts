import { encodeLogFrame, LogFrameDecoder } from './log-frame.js';

describe('log frames', () => {
  const frames = [
    { endOffset: 5, at: 1_700_000_000_000, payload: Buffer.from('hello') },
    { endOffset: 5, at: 1_700_000_000_001, payload: Buffer.alloc(0) },
    { endOffset: 2 ** 40, at: 1, payload: Buffer.from('far') },
  ];
  const bytes = Buffer.concat(frames.map(encodeLogFrame));

  it.each([1, 7, 20, 1000])('come out whole from pieces of %d bytes', (step) => {
    const decoder = new LogFrameDecoder();
    const out = [];
    for (let at = 0; at < bytes.length; at += step) out.push(...decoder.push(bytes.subarray(at, at + step)));
    expect(out.map((frame) => ({ ...frame, payload: Buffer.from(frame.payload).toString() }))).toEqual(
      frames.map((frame) => ({ ...frame, payload: frame.payload.toString() })),
    );
  });

  it('that are too large are refused before they are collected', () => {
    expect(() => new LogFrameDecoder(4).push(bytes)).toThrow(RangeError);
  });
});
