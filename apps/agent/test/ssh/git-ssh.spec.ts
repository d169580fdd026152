import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SshFixture } from './ssh-fixture.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const run = promisify(execFile);

describe('the ssh that git is given where the image has none', () => {
  let fixture: SshFixture;
  beforeAll(async () => {
    fixture = await SshFixture.start();
    const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
    git('init', '-q', '-b', 'main', join(fixture.dir, 'origin'));
    execFileSync('sh', ['-c', 'seq 200000 > numbers'], { cwd: join(fixture.dir, 'origin') });
    git('-C', join(fixture.dir, 'origin'), 'add', '.');
    git('-C', join(fixture.dir, 'origin'), 'commit', '-qm', 'numbers');
  });
  afterAll(() => fixture.stop());

  const clone = (key: string, to: string) =>
    run(
      'git',
      ['clone', '-q', `ssh://a@127.0.0.1:${fixture.server.port}${fixture.dir}/origin`, join(fixture.dir, to)],
      {
        env: {
          PATH: '/usr/bin:/bin',
          HOME: fixture.dir,
          GIT_SSH_VARIANT: 'ssh',
          GIT_SSH_COMMAND: `'${process.execPath}' '${MAIN}' git-ssh -i '${join(fixture.dir, key)}' -o BatchMode=yes`,
        },
      },
    );

  it('clones', async () => {
    await clone('id', 'copy');
    expect(readFileSync(join(fixture.dir, 'copy', 'numbers'), 'utf8')).toMatch(/^1\n[\s\S]*\n200000\n$/);
  });

  it('says who refused it', async () => {
    await expect(clone('stranger', 'none')).rejects.toThrow(/ssh to a@127\.0\.0\.1: .*authentication/i);
  });
});
