import { spawn } from 'node:child_process';

/** Nothing of the environment of whoever runs the tests. */
export const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** Resolves with stdout once nothing holds it any more. @throws with the end of stderr on another exit code than 0 */
export function runProgram(argv: readonly string[], stdin = ''): Promise<string> {
  const [file = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2000)));
    child.stdin.on('error', () => undefined); // it ended without reading everything: its exit code tells
    child.stdin.end(stdin);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(stdout).toString());
      else reject(new Error(`${argv.join(' ').slice(-300)}: ${signal ?? `exit code ${code}`}: ${stderr}`));
    });
  });
}
