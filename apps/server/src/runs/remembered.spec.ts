import { Remembered } from './remembered.js';

describe('What is remembered', () => {
  it('goes where there is no room for it any more, what was asked for last stays', () => {
    const remembered = new Remembered<string>(10);
    remembered.keep('a', 'A', 4);
    remembered.keep('b', 'B', 4);
    remembered.get('a');
    remembered.keep('c', 'C', 4);
    expect(['a', 'b', 'c'].map((key) => remembered.get(key))).toEqual(['A', undefined, 'C']);
  });

  it('takes the room of what it replaces', () => {
    const remembered = new Remembered<string>(10);
    remembered.keep('a', 'A', 6);
    remembered.keep('a', 'A2', 6);
    remembered.keep('b', 'B', 4);
    expect(['a', 'b'].map((key) => remembered.get(key))).toEqual(['A2', 'B']);
  });

  it('is not what has no room at all', () => {
    const remembered = new Remembered<string>(10);
    remembered.keep('a', 'A', 11);
    expect(remembered.has('a')).toBe(false);
  });

  it('is worth it from the second time on', () => {
    const remembered = new Remembered<string>(10);
    expect(remembered.isWorthKeeping('a')).toBe(false);
    expect(remembered.isWorthKeeping('a')).toBe(true);
    expect(remembered.isWorthKeeping('b')).toBe(false);
  });

  it('is worth it no more when many others were asked for since', () => {
    const remembered = new Remembered<string>(10);
    remembered.isWorthKeeping('a');
    for (let other = 0; other < 20_000; other += 1) remembered.isWorthKeeping(`other ${other}`);
    expect(remembered.isWorthKeeping('a')).toBe(false);
  });
});
