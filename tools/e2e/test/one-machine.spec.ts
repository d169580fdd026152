import { isFullRun } from '../src/full-run.js';
import { type PostgresServer, startPostgres } from '../src/postgres.js';
import { SMALL, Stack } from '../src/stack.js';

const postgres: PostgresServer | undefined = isFullRun
  ? await startPostgres(20_000 + (process.pid % 20_000))
  : undefined;
afterAll(() => postgres?.stop());

const databases: [string, NodeJS.ProcessEnv][] = [['SQLite', {}]];
if (postgres) databases.push(['Postgres', { DSTACK_DATABASE_URL: postgres.url }]);

describe.each(databases)('a user on one machine, %s', (_database, serverEnv) => {
  const stack = new Stack(serverEnv);
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  const task = (name: string, commands: string, rest = '') =>
    stack.file(name, `type: task\nname: ${name}\ncommands:\n${commands}\n${SMALL}\n${rest}\n`);
  const apply = (name: string, ...more: string[]) => stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`, ...more]);

  it('keeps projects and users apart', async () => {
    task('hello', '  - echo hello');
    expect((await apply('hello')).code).toBe(0);
    const user = await stack
      .api<{ creds: { token: string } }>('/api/users/create', { username: 'bob', global_role: 'user' })
      .then(() => stack.api<{ creds: { token: string } }>('/api/users/get_user', { username: 'bob' }));
    const token = user.creds.token;
    await stack.api('/api/projects/create', { project_name: 'bobs' }, token);
    const seen = await stack.cli(['ps', '-a'], { token, project: 'main' });
    expect(seen.stdout).not.toContain('hello');
    expect((await stack.cli(['logs', 'hello'], { token, project: 'main' })).code).toBe(1);
    const own = await stack.cli(['ps', '-a', '--json'], { token, project: 'bobs' });
    expect(own.code).toBe(0);
    expect(own.stdout).not.toContain('hello');
  });

  it('changes a priority in place and replaces what cannot be changed', async () => {
    const body = (priority: number, word: string) =>
      task('again', `  - echo ${word}; sleep 300`, `priority: ${priority}`);
    body(1, 'one');
    await apply('again', '-d');
    await stack.until('the first to run', async () => (await stack.cli(['logs', 'again'])).stdout.includes('one'));
    const before = await stack.api<{ id: string }>('/api/project/main/runs/get', { run_name: 'again' });
    body(7, 'one');
    expect((await apply('again', '-d')).code).toBe(0);
    const updated = await stack.api<{ id: string; deployment_num: number }>('/api/project/main/runs/get', {
      run_name: 'again',
    });
    expect(updated.id).toBe(before.id);
    expect(updated.deployment_num).toBe(1);
    body(7, 'two');
    expect((await apply('again', '-d')).code).toBe(0);
    await stack.until('the second to run', async () => (await stack.cli(['logs', 'again'])).stdout.includes('two'));
    expect((await stack.api<{ id: string }>('/api/project/main/runs/get', { run_name: 'again' })).id).not.toBe(
      before.id,
    );
    await stack.cli(['stop', '-x', 'again', '-y']);
  });

  it('refuses a bad file with file, line and field, without a stack trace', async () => {
    stack.file('bad', 'type: task\ncommands: [echo]\nresuorces:\n  cpu: 1\n');
    const result = await apply('bad');
    expect(result.code).toBe(1);
    expect(result.stderr + result.stdout).toMatch(/bad\.dstack\.yml[\s\S]*3[\s\S]*resuorces[\s\S]*resources/);
    expect(result.stderr + result.stdout).not.toMatch(/\n\s+at /);
  });
});
