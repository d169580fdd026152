import { Turns } from './turns.js';

describe('turns', () => {
  it('let so much work begin, and the next when one is done or fails', async () => {
    const turns = new Turns(2);
    const begun: string[] = [];
    const enders: (() => void)[] = [];
    const work = (name: string) => () => {
      begun.push(name);
      return new Promise<void>((resolve) => enders.push(resolve));
    };
    const first = turns.take(work('a'));
    const second = turns.take(async () => {
      begun.push('b');
      throw new Error('failed');
    });
    const third = turns.take(work('c'));
    void turns.take(work('d'));
    await expect(second).rejects.toThrow('failed');
    expect(begun).toEqual(['a', 'b', 'c']);
    enders[0]?.();
    await first;
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    enders[1]?.();
    await third;
  });

  it('are given in the order they were asked for', async () => {
    const order: number[] = [];
    const turns = new Turns(1);
    await Promise.all([1, 2, 3].map((each) => turns.take(async () => void order.push(each))));
    expect(order).toEqual([1, 2, 3]);
  });
});
