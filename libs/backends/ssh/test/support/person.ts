import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SshOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody with a key and OpenSSH. */
export class Person {
  readonly directory = mkdtempSync(join(tmpdir(), 'dstack-person-'));
  readonly publicKey: string;
  readonly privateKey: string;

  constructor() {
    const identity = join(this.directory, 'id');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'me@home', '-f', identity]);
    this.publicKey = readFileSync(`${identity}.pub`, 'utf8');
    this.privateKey = readFileSync(identity, 'utf8');
    const common = 'StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nBatchMode yes\n';
    writeFileSync(
      join(this.directory, 'config'),
      `${common}IdentitiesOnly yes\nIdentityFile ${identity}\nConnectTimeout 10\n`,
    );
  }

  ssh(...args: readonly string[]): Promise<SshOutcome> {
    const child = spawn('ssh', ['-F', join(this.directory, 'config'), ...args], { timeout: 20_000 });
    child.stdin.end();
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        resolve({ code, stdout, stderr });
      });
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
