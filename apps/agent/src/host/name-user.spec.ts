import { nameUser } from './name-user.js';

const user = { uid: 1_879_048_200, gid: 1_879_048_200, home: '/work/home' };
const ROOT = 'root:x:0:0:root:/root:/bin/bash\n';
const GROUPS = 'root:x:0:\n';

describe('a name for a job’s user', () => {
  it('is one more line in each file', () => {
    expect(nameUser(ROOT, GROUPS, user)).toEqual({
      name: 'dstack',
      passwd: `${ROOT}dstack:x:1879048200:1879048200:dstack job:/work/home:/bin/sh\n`,
      group: `${GROUPS}dstack:x:1879048200:\n`,
    });
  });

  it.each([
    ['a user', `${ROOT}dstack:x:1001:1001::/home/dstack:/bin/sh\n`, GROUPS, 'dstack-job'],
    ['a group', ROOT, `${GROUPS}dstack:x:999:\ndstack-job:x:998:\n`, 'dstack-1879048200'],
  ])('is none that %s of the host has', (_what, passwd, group, name) => {
    expect(nameUser(passwd, group, user).name).toBe(name);
  });

  it('comes before the line that includes a directory service', () => {
    expect(nameUser(`${ROOT}+::::::`, GROUPS, user).passwd).toMatch(/^root.*\ndstack.*\n\+::::::\n$/);
  });
});
