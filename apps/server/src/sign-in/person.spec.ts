import { describe, expect, it } from '@jest/globals';
import { grantsOf, personOf } from './person.js';

const settings = { usernameClaim: 'preferred_username', groupsClaim: 'groups' };

describe('the person of a token', () => {
  it.each<[object, string]>([
    [{ preferred_username: 'ann.lee@example.org' }, 'ann-lee'],
    [{ email: 'bo@example.org' }, 'bo'],
    [{ preferred_username: '!!!' }, 'sub-1'],
    [{}, 'sub-1'],
  ])('%j is called %s', (claims, username) =>
    expect(personOf({ sub: 'sub|1', ...claims }, settings).username).toBe(username),
  );

  it('has an address that counts only when the provider has verified it', () => {
    const email = 'a@example.org';
    expect(personOf({ sub: 's', email }, settings)).toMatchObject({ email, isEmailVerified: false });
    expect(personOf({ sub: 's', email, email_verified: 'true' }, settings).isEmailVerified).toBe(false);
    expect(personOf({ sub: 's', email, email_verified: true }, settings).isEmailVerified).toBe(true);
  });

  it.each<[unknown, string[]]>([
    [
      ['a', 1, 'b'],
      ['a', 'b'],
    ],
    ['a', ['a']],
    [undefined, []],
  ])('groups %j are %j', (groups, read) => expect(personOf({ sub: 's', groups }, settings).groups).toEqual(read));
});

describe('what groups grant', () => {
  const none = { allowedGroups: [], adminGroups: [], projectRoles: [] };
  const projectRoles = [
    { group: 'ml', project: 'team', role: 'user' as const },
    { group: 'leads', project: 'team', role: 'admin' as const },
    { group: 'ops', project: 'infra', role: 'manager' as const },
  ];

  it('is nothing when nothing is said', () =>
    expect(grantsOf(['x'], none)).toEqual({ isAllowed: true, globalRole: null, projects: new Map() }));

  it('is entry to the groups that are let in', () => {
    expect(grantsOf(['x'], { ...none, allowedGroups: ['ml'] }).isAllowed).toBe(false);
    expect(grantsOf(['x', 'ml'], { ...none, allowedGroups: ['ml'] }).isAllowed).toBe(true);
  });

  it('is the role of a global admin, and takes it from those who left the group', () => {
    expect(grantsOf(['root'], { ...none, adminGroups: ['root'] }).globalRole).toBe('admin');
    expect(grantsOf([], { ...none, adminGroups: ['root'] }).globalRole).toBe('user');
  });

  it('is the highest role in each project', () =>
    expect(grantsOf(['leads', 'ml', 'other'], { ...none, projectRoles }).projects).toEqual(
      new Map([['team', 'admin']]),
    ));
});
