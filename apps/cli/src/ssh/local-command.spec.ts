import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { LOCAL_COMMAND, READY_WORD } from './local-command.js';

it('says that ssh is connected, and ends it with the process that started it', async () => {
  // As ssh does it: a shell of its own runs the command, which is waited for.
  const ssh = spawn('/bin/sh', ['-c', '/bin/sh -c "$1"; exec sleep 600', 'ssh', LOCAL_COMMAND], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(ssh, 'close');
  const [word] = (await once(ssh.stdout, 'data')) as [Buffer];
  expect(word.toString()).toBe(`${READY_WORD}\n`);
  ssh.stdin.end();
  expect(await ended).toEqual([null, 'SIGTERM']);
});
