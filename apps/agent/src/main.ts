import { parseArgs } from 'node:util';
import { AGENT_VERSION } from './version.js';

const USAGE = `Usage:
  agent host --dir DIR [--work-dir DIR] [--job-uids FIRST-LAST] [--folder DIR] [--socket-user UID]
  agent job --dir JOBDIR
  agent container --dir JOBDIR
  agent copy-to DIR
  agent purge --dir DIR
  agent --version
`;

/** Each command loads what it needs: every job starts one, and a shell is waited for. */
async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === '--version') {
    process.stdout.write(`dstack-agent version ${AGENT_VERSION}\n`);
    return 0;
  }
  if (command === 'host') {
    const { values } = parseArgs({
      args: rest,
      options: {
        dir: { type: 'string' },
        'work-dir': { type: 'string' },
        'job-uids': { type: 'string' },
        folder: { type: 'string' },
        'socket-user': { type: 'string' },
      },
    });
    if (values.dir === undefined) return usage('--dir is required');
    const { runHost } = await import('./host/run-host.js');
    return runHost({
      dir: values.dir,
      workDir: values['work-dir'],
      jobUids: values['job-uids'],
      folder: values.folder,
      socketUser: values['socket-user'],
    });
  }
  if (command === 'purge') {
    const { values } = parseArgs({ args: rest, options: { dir: { type: 'string' } } });
    if (values.dir === undefined) return usage('--dir is required');
    const { runPurge } = await import('./host/run-purge.js');
    return runPurge(values.dir);
  }
  if (command === 'job') {
    const { values } = parseArgs({ args: rest, options: { dir: { type: 'string' } } });
    if (values.dir === undefined) return usage('--dir is required');
    const { runJobSide } = await import('./job/run-job-side.js');
    return runJobSide(values.dir);
  }
  if (command === 'container') {
    const { values } = parseArgs({ args: rest, options: { dir: { type: 'string' } } });
    if (values.dir === undefined) return usage('--dir is required');
    const { runContainerAgent } = await import('./job/run-container-agent.js');
    return runContainerAgent(values.dir);
  }
  if (command === 'copy-to') {
    const [directory] = rest;
    if (directory === undefined) return usage('copy-to needs a directory');
    return (await import('./files/copy-folder.js')).copyFolder(directory);
  }
  if (command === 'ssh-child') return (await import('./ssh/ssh-child.js')).runSshChild(rest);
  if (command === 'git-ssh') return (await import('./job/git-ssh.js')).runGitSsh(rest);
  return usage(command === undefined ? 'a command is required' : `there is no command ${command}`);
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\n${USAGE}`);
  return 2;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
    process.exit();
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
