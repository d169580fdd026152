import { SqliteConnection } from '@dstack/server/parts';
import { expect, it } from '@jest/globals';
import { ChangeLog } from '../src/invariants/change-log.js';
import { LeasesFence } from '../src/invariants/leases-fence.js';
import { emptyDatabase } from '../src/servers/empty-database.js';
import { Story } from '../src/story.js';

const NOW = 1_000;
const content = await emptyDatabase();

it.each([
  ['its holder gives it back', 'A', 'UPDATE leases SET holder = NULL', null],
  ['somebody else ends it', 'B', 'UPDATE leases SET holder = NULL', 'which another server holds'],
  ['somebody else takes it', 'B', `UPDATE leases SET holder = 'B', token = token + 1`, 'which another server holds'],
  ['somebody takes it that has it', 'A', `UPDATE leases SET holder = 'A', token = token + 1`, 'twice'],
])('a lease that lives: %s', (_what, holder, sql, says) => {
  const connection = SqliteConnection.inMemory(content);
  const story = new Story(
    () => 0,
    0,
    false,
    () => undefined,
  );
  const fence = new LeasesFence(new ChangeLog(connection), story, true);
  connection
    .prepare(`INSERT INTO leases (name, token, holder, expires_at) VALUES ('placement', 1, 'A', ?)`)
    .run(NOW + 1);
  connection.prepare(sql).run();
  fence.beforeCommit(`server ${holder}`, holder, NOW);
  expect(story.violations.join('\n')).toMatch(says ?? /^$/);
});

it('a lease that has run out may be taken by anybody', () => {
  const connection = SqliteConnection.inMemory(content);
  const story = new Story(
    () => 0,
    0,
    false,
    () => undefined,
  );
  const fence = new LeasesFence(new ChangeLog(connection), story, true);
  connection.prepare(`INSERT INTO leases (name, token, holder, expires_at) VALUES ('placement', 1, 'A', ?)`).run(NOW);
  connection.prepare(`UPDATE leases SET holder = 'B', token = token + 1`).run();
  fence.beforeCommit('server B', 'B', NOW);
  expect(story.violations).toEqual([]);
});
