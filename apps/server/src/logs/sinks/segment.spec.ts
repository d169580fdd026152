import type { StoredChunk } from '../log-store.js';
import type { FoundEvent, SinkLimits } from './log-sink.js';
import { textOf, wholeCharacters } from './log-text.js';
import { chunksOfSegment, eventsOfSegment, planSegment, type PlanInput } from './segment.js';

const limits: SinkLimits = { events: 3, bytes: 40, eventOverheadBytes: 1, eventBytes: 20, spanMs: 1_000 };
const chunks = (...parts: readonly (readonly [at: number, text: string])[]): StoredChunk[] => {
  let startOffset = 100;
  return parts.map(([at, text]) => {
    const payload = Buffer.from(text);
    const chunk = { startOffset, at, payload };
    startOffset += payload.length;
    return chunk;
  });
};
const plan = (given: Partial<PlanInput> & Pick<PlanInput, 'chunks'>) =>
  planSegment({ limits, floorAt: 0, reachesEnd: true, isClosed: false, now: 1_000, ...given });
const told = (given: Parameters<typeof plan>[0]) => plan(given)?.events.map(({ at, text }) => [at, text]);

describe('what goes into a request', () => {
  it.each<[string, Parameters<typeof plan>[0], unknown]>([
    ['whole lines', { chunks: chunks([1, 'a\nb'], [2, 'b\n']) }, [[1, 'a\n'], [2, 'bb\n']]], // prettier-ignore
    ['nothing of nothing', { chunks: [] }, undefined],
    ['a line without an end, not at once', { chunks: chunks([1, 'a\nb']) }, [[1, 'a\n']]],
    ['… but after a while', { chunks: chunks([1, 'b']), now: 5_001 }, [[1, 'b']]],
    ['… at once when it is the last', { chunks: chunks([1, 'b']), isClosed: true }, [[1, 'b']]],
    ['… not while more of it is there', { chunks: chunks([1, 'a\nb']), now: 9_999, reachesEnd: false }, [[1, 'a\n']]],
    ['so many events', { chunks: chunks([1, '1\n2\n3\n4\n']) }, [[1, '1\n'], [1, '2\n'], [1, '3\n']]], // prettier-ignore
    ['so many bytes', { chunks: chunks([1, `${'x'.repeat(18)}\n${'y'.repeat(18)}\n`], [1, 'z\n']) }, [[1, `${'x'.repeat(18)}\n`], [1, `${'y'.repeat(18)}\n`]]], // prettier-ignore
    ['so long a time', { chunks: chunks([1, 'a\n'], [1_002, 'b\n']) }, [[1, 'a\n']]],
    ['times that only rise, after those of before', { chunks: chunks([7, 'a\n'], [3, 'b\n'], [9, 'c\n']), floorAt: 8 }, [[8, 'a\n'], [8, 'b\n'], [9, 'c\n']]], // prettier-ignore
    ['a long line in parts, between characters', { chunks: chunks([1, `${'x'.repeat(19)}ä\n`]) }, [[1, 'x'.repeat(19)], [1, 'ä\n']]], // prettier-ignore
  ])('%s', (_what, given, expected) => {
    expect(told(given)).toEqual(expected);
  });

  it('is the same when it is put again, though more has come', () => {
    const first = plan({ chunks: chunks([5, 'a\nb\n']), floorAt: 7 });
    if (first === null) throw new Error('nothing is planned');
    expect(first).toMatchObject({ startOffset: 100, endOffset: 104, firstAt: 7, lastAt: 7 });
    expect(eventsOfSegment(chunks([5, 'a\nb\n']), first, limits)).toEqual(first.events);
  });
});

describe('what was found of a segment', () => {
  const segment = { startOffset: 100, endOffset: 106, firstAt: 1, lastAt: 2 };
  const events: FoundEvent[] = [
    { at: 1, text: 'a\n' },
    { at: 1, text: 'b\n' },
    { at: 2, text: 'c\n' },
  ];
  const placed = (found: readonly FoundEvent[], stored = 3) =>
    chunksOfSegment(segment, stored, found).map(({ startOffset, payload }) => [startOffset, payload.toString()]);
  const whole = [[100, 'a\n'], [102, 'b\n'], [104, 'c\n']]; // prettier-ignore
  const [a, b, c] = events as [FoundEvent, FoundEvent, FoundEvent];

  it.each<[string, readonly FoundEvent[], unknown]>([
    ['all', events, whole],
    ['all, twice', [a, b, a, b, c, c], whole],
    ['by offsets, in any order and more than once', [{ ...c, offset: 104 }, { ...a, offset: 100 }, { ...b, offset: 102 }, { ...a, offset: 100 }], whole], // prettier-ignore
    ['what its retention has left', [b, c], [[102, 'b\n'], [104, 'c\n']]], // prettier-ignore
    ['nothing', [], []],
    ['with those of its neighbours', [{ at: 0, text: 'before\n' }, ...events, { at: 3, text: 'after\n' }], whole],
  ])('%s', (_what, found, expected) => {
    expect(placed(found)).toEqual(expected);
  });
});

describe('text of bytes', () => {
  it.each([
    ['text', 'häh 🚀', 'häh 🚀'],
    ['a character that breaks off', Buffer.from('ab🚀').subarray(0, 5), 'ab???'],
    ['bytes that are none', Buffer.from([0xff, 0x61, 0xc3, 0x28, 0xed, 0xa0, 0x80]), '?a?(???'],
  ])('of %s has as many bytes', (_what, given, expected) => {
    const bytes = Buffer.from(given);
    expect(textOf(bytes)).toBe(expected);
    expect(Buffer.byteLength(textOf(bytes))).toBe(bytes.length);
  });

  it.each([
    ['abc', 3],
    [Buffer.from('aä').subarray(0, 2), 1],
    [Buffer.from('a🚀').subarray(0, 4), 1],
    [Buffer.from('a🚀'), 5],
    [Buffer.from([0x80, 0x80, 0x80, 0x80]), 4],
  ])('of %j has whole characters up to %i', (given, expected) => {
    expect(wholeCharacters(Buffer.from(given))).toBe(expected);
  });
});
