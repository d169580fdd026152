import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { ServerSettings } from '../settings/settings.js';
import { configureClient } from './client-config.js';

export interface Announcement {
  readonly settings: ServerSettings;
  readonly adminToken: string;
  readonly print: (line: string) => void;
}

/** What a person needs to start working. A token that came from the environment is known to them and stays out of logs. */
export async function announce({ settings, adminToken, print }: Announcement): Promise<void> {
  print(`The server is running at ${settings.url}`);
  print(
    settings.adminToken === undefined
      ? `The admin token is ${adminToken}`
      : 'The admin token is the one given in the environment or by --token at the first start',
  );
  if (settings.configureClient === 'never') return;
  const path = join(homedir(), '.dstack', 'config.yml');
  const mayReplace = settings.configureClient === 'always' ? () => Promise.resolve(true) : askToReplace;
  const change = await configureClient(path, { name: 'main', url: settings.url, token: adminToken }, mayReplace);
  if (change.kind === 'written') print(`The project main of ${path} now points to this server`);
  if (change.kind === 'unreadable')
    print(
      `${path} is no client configuration and was kept: ${change.problem}. Mend or remove it; to use this server then:`,
    );
  if (change.kind === 'kept')
    print(`The project main of ${path} points to ${change.url} and was kept. To use this server:`);
  if (change.kind === 'kept' || change.kind === 'unreadable')
    print(`  dstack project add --name main --url ${settings.url} --token <admin token>`);
}

async function askToReplace(currentUrl: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`The project main of the CLI points to ${currentUrl}. Replace it? [y/n] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
