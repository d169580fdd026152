import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SshFixture } from './ssh-fixture.js';

describe('files over the real sftp and scp', () => {
  let fixture: SshFixture;
  const bytes = randomBytes(3_000_000);
  beforeAll(async () => {
    fixture = await SshFixture.start();
    await writeFile(join(fixture.dir, 'here'), bytes);
  });
  afterAll(() => fixture.stop());

  const sftp = (...lines: string[]) => fixture.run('sftp', ['-b', '-', 'a@127.0.0.1'], `${lines.join('\n')}\n`);

  it('puts, renames, links, lists, gets and removes', async () => {
    const { dir } = fixture;
    const done = await sftp(
      'mkdir box',
      `put ${dir}/here box/one`,
      'rename box/one box/two',
      'ln -s two box/link',
      'chmod 600 box/two',
      'ls -l box',
      `get box/link ${dir}/back`,
      'rm box/link',
      'rm box/two',
      'rmdir box',
    );
    expect(done.stderr).toBe('');
    expect(done.code).toBe(0);
    expect(done.stdout.toString()).toMatch(/-rw------- .* 3000000 .* two/);
    expect((await readFile(join(dir, 'back'))).equals(bytes)).toBe(true);
    expect(existsSync(join(dir, 'box'))).toBe(false);
  });

  it.each([
    ['get missing /dev/null', 'not found'],
    ['rmdir /proc/self', ''],
    ['mkdir here', 'Failure'],
  ])('says why it cannot: %s', async (command, reason) => {
    const done = await sftp(command);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(reason);
  });

  it('copies with scp there and back, a tree too, and knows ~', async () => {
    const { dir } = fixture;
    await mkdir(join(dir, 'tree', 'deep'), { recursive: true });
    await writeFile(join(dir, 'tree', 'deep', 'leaf'), 'green');
    expect(await fixture.run('scp', ['-r', join(dir, 'tree'), 'a@127.0.0.1:~/copy'])).toMatchObject({ code: 0 });
    expect(await readFile(join(dir, 'copy', 'deep', 'leaf'), 'utf8')).toBe('green');
    expect(await fixture.run('scp', ['a@127.0.0.1:here', join(dir, 'scp-back')])).toMatchObject({ code: 0 });
    expect((await readFile(join(dir, 'scp-back'))).equals(bytes)).toBe(true);
  });
});
