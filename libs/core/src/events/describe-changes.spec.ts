import { describe, expect, it } from '@jest/globals';
import { describeChanges } from './describe-changes.js';

describe('what an update changed', () => {
  it.each<[object, object, string]>([
    [{ role: 'user', active: true }, { role: 'user', active: true }, ''],
    [
      { role: 'user', active: true },
      { role: 'admin', active: false },
      '. role: user → admin; active: true → false',
    ],
    [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, '. a.c: 2 → 3'],
    [{}, { email: 'a@b' }, '. email: none → a@b'],
    [{ creds: { key: 'secret-1' } }, { creds: { key: 'secret-2' } }, '. creds changed'],
    [{ hosts: null }, { hosts: [{ ip: 'a', ssh_key: 'secret' }] }, '. hosts: none → [{"ip":"a","ssh_key":"…"}]'],
    [{ hosts: [{ ssh_key: 's1' }] }, { hosts: [{ ssh_key: 's2' }] }, '. hosts: [{"ssh_key":"…"}] → [{"ssh_key":"…"}]'],
    [{ text: 'a\nb' }, { text: 'c' }, '. text: a b → c'],
  ])('from %j to %j is told as %j', (before, after, told) => expect(describeChanges({ ...before }, { ...after })).toBe(told)); // prettier-ignore

  it('is told in few words', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}`, 'x'.repeat(500)]));
    expect(describeChanges({}, many)).toMatch(/; 12 more$/);
    expect(describeChanges({}, many).length).toBeLessThan(1_000);
  });
});
