import { readFile } from 'node:fs/promises';

export interface WorkerUser {
  readonly name: string;
  readonly group: number;
}

/** Whom nginx's workers run as when root starts it: whoever the system's own nginx would. */
export async function workerUser(): Promise<WorkerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['www-data', 'nginx', 'nobody']) {
    const account = accounts.find(([known]) => known === name);
    if (account !== undefined) return { name: name, group: Number(account[3]) };
  }
  throw new Error('the machine has none of the users www-data, nginx and nobody to run nginx as');
}
