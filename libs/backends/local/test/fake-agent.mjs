// Keeps the promises a host agent makes to this backend: `host --dir DIR`, agent.pid, agent.sock, an orderly end on SIGTERM.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const [, , command, flag, dir] = process.argv;
if (command !== 'host' || flag !== '--dir') throw new Error(`unexpected arguments: ${process.argv.slice(2).join(' ')}`);
if (process.env.FAKE_AGENT_SECRET) throw new Error('the environment of the server leaked');
const [behaviour] = dir.split('/').at(-1).split('-');
if (behaviour === 'crash') throw new Error('cannot work here');

// A job outlives its agent, as after an update of the agent.
if (behaviour === 'jobs') {
  mkdirSync(join(dir, 'jobs', 'job-1'), { recursive: true });
  const env = { ...process.env, DSTACK_JOB_ID: 'job-1' };
  const job = spawn('sh', ['-c', 'sleep 600 & wait'], { detached: true, stdio: 'ignore', env });
  writeFileSync(join(dir, 'job.pid'), String(job.pid));
  job.unref();
}
writeFileSync(join(dir, 'agent.pid'), String(process.pid));
rmSync(join(dir, 'agent.sock'), { force: true });
// Probes connect and leave.
const server = createServer((socket) => socket.on('error', () => undefined).resume());
server.listen(join(dir, 'agent.sock'));
process.on('SIGTERM', () => {
  if (behaviour !== 'stubborn') server.close(() => process.exit(0));
});
