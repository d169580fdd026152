import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../src/free-port.js';
import { type HttpsGitServer, startHttpsGitServer } from '../src/git-over-https.js';
import { canServeOverSsh, type GitServer, startGitServer } from '../src/git-over-ssh.js';
import { canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const TOKEN = 'token-of-the-repo-4711';
const overSshIt = canServeOverSsh() ? it : it.skip;
const inContainers = canRunContainers() ? it : it.skip;
const overSshInContainers = canServeOverSsh() ? inContainers : it.skip;

/** What the other specs show of repositories with one story, here by the states a checkout can be in and the ways to it. */
describe('the repository of a run', () => {
  const stack = new Stack();
  const served = join(stack.work, 'served');
  const original = join(stack.work, 'original');
  let overSsh: GitServer | undefined;
  let overHttps: HttpsGitServer;

  beforeAll(async () => {
    mkdirSync(served);
    mkdirSync(original);
    git(stack.work, 'init', '-q', '--bare', '-b', 'main', join(served, 'origin.git'));
    git(original, 'init', '-q', '-b', 'main');
    git(original, 'remote', 'add', 'origin', join(served, 'origin.git'));
    for (const name of ['first', 'second']) commit(original, name);
    git(original, 'push', '-q', 'origin', 'main', 'main:next');
    overSsh = startGitServer(served, await freePort());
    overHttps = await startHttpsGitServer(served, TOKEN);
    await stack.start();
  }, 60_000);
  afterAll(async () => {
    overSsh?.stop();
    await overHttps.stop();
    await stack.close();
  });

  function git(cwd: string, ...args: string[]): string {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' };
    return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trim();
  }
  function commit(checkout: string, name: string): void {
    writeFileSync(join(checkout, `${name}.txt`), `${name}\n`);
    git(checkout, 'add', '.');
    git(checkout, 'commit', '-qm', name);
  }
  /** A clone whose remote is the address that a run will clone. */
  function cloned(name: string, url: string, ...more: string[]): string {
    const checkout = join(stack.work, name);
    git(stack.work, 'clone', '-q', ...more, `file://${join(served, 'origin.git')}`, checkout);
    git(checkout, 'remote', 'set-url', 'origin', url);
    return checkout;
  }
  const init = (checkout: string, token: string) =>
    stack.cli(['init', '--repo', checkout, '--token', token], { env: { GIT_SSL_CAINFO: overHttps.certificate } });
  const sshUrl = (): string => overSsh?.url('origin.git') ?? '';
  const key = (): string[] => ['--git-identity', overSsh?.identity ?? ''];
  async function run(name: string, text: string, ...more: string[]) {
    const file = stack.file(name, `type: task\nname: ${name}\n${text}\n${SMALL}\n`);
    const env = { GIT_SSL_CAINFO: overHttps.certificate };
    const result = await stack.cli(['apply', '-y', '-f', file, ...more], { env });
    return { ...result, stdout: result.stdout.replaceAll('\r', '') };
  }

  const show = `commands: ['echo files $(ls) commits $(git log --format=%s) remote $(git for-each-ref --format="%(refname:lstrip=3)" refs/remotes)']`;
  const states: [string, string, string[], (checkout: string) => void, string][] = [
    [
      'with a detached HEAD is at its commit',
      'detached', [],
      (checkout) => git(checkout, 'checkout', '-q', '--detach', 'HEAD~1'),
      'files first.txt commits first remote HEAD main',
    ],
    [
      'on a branch that was never pushed has its commits as changes',
      'local', [],
      (checkout) => {
        git(checkout, 'checkout', '-q', '-b', 'mine');
        commit(checkout, 'third');
        writeFileSync(join(checkout, 'fourth.txt'), 'not even added\n');
      },
      'files first.txt fourth.txt second.txt third.txt commits second first remote HEAD main next',
    ],
    [
      'cloned without its history is whole',
      'shallow', ['--depth', '1'],
      (checkout) => writeFileSync(join(checkout, 'third.txt'), 'here\n'),
      'files first.txt second.txt third.txt commits second first remote HEAD main',
    ],
  ]; // prettier-ignore
  overSshIt.each(states)('%s', async (_what, name, depth, change, expected) => {
    const checkout = cloned(name, sshUrl(), ...depth);
    change(checkout);
    // A task has its own branch only, unless it asks for all.
    const single = name === 'local' ? 'single_branch: false' : '';
    const { stdout, stderr, code } = await run(name, `repos: ['${checkout}']\n${single}\n${show}`, ...key()); // prettier-ignore
    expect(stdout + stderr).toContain(expected);
    expect(code).toBe(0);
  });

  overSshIt('says that a key is refused', async () => {
    const wrong = join(stack.work, 'wrong');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', wrong]);
    const checkout = cloned('wrong-key', sshUrl());
    const { stderr, code } = await run('wrong-key', `repos: ['${checkout}']\n${show}`, '--git-identity', wrong);
    expect(stderr).toContain(`git refuses the key ${wrong} for ssh://`);
    expect(code).not.toBe(0);
  });

  it('says that a token is refused, without the token', async () => {
    const url = overHttps.url('origin.git');
    const { stderr, code } = await init(cloned('wrong-token', url), 'no-such-token');
    expect(stderr).toContain(`git refuses the token for ${url}`);
    expect(stderr).not.toContain('no-such-token');
    expect(code).not.toBe(0);
  });

  inContainers('is cloned with the token that `init` was given, which nobody else sees', async () => {
    const checkout = cloned('private', overHttps.url('origin.git'));
    writeFileSync(join(checkout, 'third.txt'), 'here\n');
    expect(await init(checkout, TOKEN)).toMatchObject({ code: 0 });
    // Git in the job has to know the certificate too; for a real host it does.
    const config = join(stack.work, 'git-config');
    mkdirSync(config);
    writeFileSync(join(config, 'config'), '[http]\n\tsslCAInfo = /root/.config/git/ca.crt\n');
    execFileSync('cp', [overHttps.certificate, join(config, 'ca.crt')]);
    const place = `image: ${TEST_IMAGE}\nvolumes: ['${config}:/root/.config/git']\nrepos: ['${checkout}:/srv/repo']\nworking_dir: /srv/repo`;
    const { stdout, stderr, code } = await run('private', `${place}\n${show}`);
    expect(stdout + stderr).toContain('files first.txt second.txt third.txt commits second first remote HEAD main');
    const told = JSON.stringify(await stack.api('/api/project/main/runs/get', { run_name: 'private' }));
    expect(told + stdout + stderr + stack.serverLog()).not.toContain(TOKEN);
    expect(code).toBe(0);
  });

  overSshInContainers('leaves what is in its place, or ends the run, as asked', async () => {
    const kept = join(stack.work, 'kept');
    mkdirSync(kept);
    writeFileSync(join(kept, 'mine.txt'), 'mine\n');
    const checkout = cloned('kept-checkout', sshUrl());
    const text = (more: string) =>
      `image: ${TEST_IMAGE}\nvolumes: ['${kept}:/srv/kept']\nrepos: [{local_path: ${checkout}, path: /srv/kept${more}}]\ncommands: [echo files $(ls /srv/kept)]`;
    const skipped = await run('skipped', text(', if_exists: skip'), ...key());
    expect(skipped.stdout).toContain('files mine.txt\n');
    expect(skipped.code).toBe(0);
    const failed = await run('failed', text(''), ...key());
    expect(failed.stdout + failed.stderr).toContain('/srv/kept is not empty: choose another path for the repo, or set `if_exists: skip`'); // prettier-ignore
    expect(failed.code).not.toBe(0);
  });
});
