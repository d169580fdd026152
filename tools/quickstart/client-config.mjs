import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { repositoryRoot } from './repository-root.mjs';

const sameServer = (a, b) =>
  a.replace('localhost', '127.0.0.1').replace(/\/$/, '') === b.replace('localhost', '127.0.0.1');

/**
 * The server writes the client's project `main` when there is none. One that points elsewhere is somebody's: asked about on a terminal,
 * else kept, and the command that changes it is shown.
 */
export async function offerClientConfig(progress, { node, server, interrupt }) {
  const file = join(homedir(), '.dstack', 'config.yml');
  if (!existsSync(file)) return;
  const add = ['project', 'add', '--name', 'main', '--url', server.url, '--token', server.token, '-y'];
  const main = readMain(file);
  if (main === 'unreadable') {
    progress.say(
      `\n${file} is no client configuration and was kept. Mend or remove it; to use this server then:\n  npx dstack ${add.join(' ')}`,
    );
    return;
  }
  if (main === undefined || (sameServer(main.url, server.url) && main.token === server.token)) return;
  if (process.stdin.isTTY) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    // The prompt's terminal is in raw mode: Ctrl-C is a key there, no signal.
    prompt.once('SIGINT', () => void interrupt('SIGINT'));
    const answer = await prompt.question(`${file}: project main is on ${main.url}. Point it to this server? [y/N] `);
    prompt.close();
    if (/^y(es)?$/i.test(answer.trim())) {
      spawnSync(node, [join(repositoryRoot, 'apps/cli/bin/dstack.mjs'), ...add], { stdio: 'inherit' });
      return;
    }
  }
  progress.say(
    `\n${file} keeps its project main (${main.url}). To use this server from the command line:\n  npx dstack ${add.join(' ')}`,
  );
}

function readMain(file) {
  const { parse } = createRequire(join(repositoryRoot, 'libs/core/package.json'))('yaml');
  try {
    const { projects = [] } = parse(readFileSync(file, 'utf8')) ?? {};
    return projects.find((project) => project.name === 'main');
  } catch {
    return 'unreadable';
  }
}
