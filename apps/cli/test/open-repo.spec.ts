import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRepo } from '../src/repo/open-repo.js';

const URL = 'https://git.example.com/org/thing.git';
let work: string;
let checkout: string;
let pushed: string;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
    cwd: checkout,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
  }).trim();

function commit(file: string, text: string): string {
  writeFileSync(join(checkout, file), text);
  git('add', '.');
  git('commit', '-qm', file);
  return git('rev-parse', 'HEAD');
}

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'dstack-repo-'));
  checkout = join(work, 'checkout');
  mkdirSync(checkout);
  git('init', '-q', '-b', 'main');
  pushed = commit('first.txt', 'one\n');
  git('remote', 'add', 'origin', URL);
  // As after a push.
  git('update-ref', 'refs/remotes/origin/main', pushed);
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const open = async () => {
  const repo = await openRepo({ source: '.', directory: checkout });
  return { data: repo.data, diff: Buffer.from(repo.diff).toString() };
};

it('a branch that tracks a remote one travels as its commit and a diff, new files too', async () => {
  git('branch', '-q', '--set-upstream-to', 'origin/main');
  commit('second.txt', 'committed here\n');
  writeFileSync(join(checkout, 'third.txt'), 'not added\n');
  const { data, diff } = await open();
  expect(data).toMatchObject({ repo_branch: 'main', repo_hash: pushed });
  expect(diff).toMatch(/\+committed here[\s\S]*\+not added/);
  expect(git('status', '--porcelain')).toBe('?? third.txt');
});

it('a branch that was never pushed travels from where it left', async () => {
  git('checkout', '-q', '-b', 'local');
  commit('second.txt', 'only here\n');
  const { data, diff } = await open();
  expect(data).toMatchObject({ repo_branch: 'main', repo_hash: pushed });
  expect(diff).toContain('+only here');
});

it('so does a merge of it', async () => {
  git('checkout', '-q', '-b', 'local');
  commit('second.txt', 'only here\n');
  git('checkout', '-q', 'main');
  commit('main.txt', 'not pushed either\n');
  git('merge', '-q', '--no-ff', '-m', 'm', 'local');
  const { data, diff } = await open();
  expect(data).toMatchObject({ repo_branch: 'main', repo_hash: pushed });
  expect(diff).toMatch(/\+not pushed either[\s\S]*\+only here/);
});

it('a detached HEAD travels as its commit, on a branch that has it', async () => {
  const newer = commit('second.txt', 'two\n');
  git('update-ref', 'refs/remotes/origin/next', newer);
  git('checkout', '-q', '--detach');
  expect((await open()).data).toMatchObject({ repo_branch: 'next', repo_hash: newer });
  git('checkout', '-q', '--detach', pushed);
  git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
  const { data, diff } = await open();
  expect(data).toMatchObject({ repo_branch: 'main', repo_hash: pushed });
  expect(diff).toBe('');
});

it('a shallow clone travels like any other', async () => {
  git('branch', '-q', '--set-upstream-to', 'origin/main');
  const second = commit('second.txt', 'two\n');
  const shallow = join(work, 'shallow');
  git('clone', '-q', '--depth', '1', `file://${checkout}`, shallow);
  checkout = shallow;
  git('remote', 'set-url', 'origin', URL);
  writeFileSync(join(shallow, 'second.txt'), 'changed\n');
  const { data, diff } = await open();
  expect(data).toMatchObject({ repo_branch: 'main', repo_hash: second });
  expect(diff).toContain('+changed');
});

it.each([
  ['has no remote', () => git('remote', 'remove', 'origin'), /has no remote/],
  [
    'knows nothing of its remote',
    () => git('update-ref', '-d', 'refs/remotes/origin/main'),
    /No commit of .* remote origin/,
  ],
])('a checkout that %s is refused', async (_what, change, message) => {
  change();
  await expect(open()).rejects.toThrow(message);
});
