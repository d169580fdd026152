import { type LifeSign, whyQuarantined } from './decide-quarantine.js';

const MIN = 60_000;
const sign = (minute: number, installationId = 'ours'): LifeSign => ({ installationId, lastAliveAt: minute * MIN });
const RESTORED = 'the database is older than what this server has done: it was restored';
const MOVED = 'the database was copied or moved here';

it.each<[string, LifeSign | null, LifeSign | null, boolean, string | null]>([
  ['a new database', null, null, false, null],
  ['a new database in an old directory', null, sign(9, 'other'), false, null],
  ['an ordinary start', sign(100), sign(100), false, null],
  ['a start after long', sign(100), sign(95), false, null],
  ['a sign that did not reach the database', sign(95), sign(100), false, null],
  ['a restored database', sign(10), sign(100), false, RESTORED],
  ['a restored database of several servers', sign(10), sign(100), true, RESTORED],
  ['a copied directory without its sign', sign(100), null, false, MOVED],
  ['the database of another installation', sign(100), sign(100, 'other'), false, MOVED],
  ['a server that joins others', sign(100), null, true, null],
])('%s', (_what, database, directory, isShared, why) => {
  expect(whyQuarantined({ database, directory, isShared })).toBe(why);
});
