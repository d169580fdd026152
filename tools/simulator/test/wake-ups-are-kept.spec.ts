import { SqliteConnection } from '@dstack/server/parts';
import { expect, it } from '@jest/globals';
import { ChangeLog } from '../src/invariants/change-log.js';
import { WakeUpsAreKept } from '../src/invariants/wake-ups-are-kept.js';
import { emptyDatabase } from '../src/servers/empty-database.js';
import { Story } from '../src/story.js';

const NOW = 1_000;
const LOOK = 'SELECT id, rev, wake_seq, lease_token FROM fleets WHERE id = ?';
const content = await emptyDatabase();

it.each([
  ['it was seen', 2, NOW + 1, /^$/],
  ['it was not seen, and the row is due', 1, NOW, /^$/],
  ['it was not seen, and the row is looked at later', 1, NOW + 1, /was woken while it decided/],
  ['it was not seen, and the row is never looked at', 1, null, /was woken while it decided/],
])('a wake-up, when a lease ends: %s', (_what, seen, dueAt, says) => {
  const connection = SqliteConnection.inMemory(content);
  const run = (sql: string, ...values: unknown[]): void => void connection.prepare(sql).run(...values);
  const story = new Story(
    () => 0,
    0,
    false,
    () => undefined,
  );
  connection.pragma('foreign_keys = OFF');
  run(
    `INSERT INTO fleets (id, project_id, name, status, spec, created_at, wake_seq, lease_token, lease_holder)
     VALUES ('f', 'p', 'x', 'active', '{}', 0, 2, 7, 'A')`,
  );
  const kept = new WakeUpsAreKept(new ChangeLog(connection), story);
  kept.afterRead(LOOK, [{ id: 'f', wake_seq: seen, lease_token: 7 }]);
  run(`UPDATE fleets SET lease_holder = NULL, next_due_at = ?, rev = rev + 1 WHERE id = 'f'`, dueAt);
  kept.beforeCommit('server A', NOW);
  expect(story.violations.join('\n')).toMatch(says);
});
