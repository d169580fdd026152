import { spawn } from 'node:child_process';
import { repositoryRoot } from './repository-root.mjs';

/** Runs a command and shows its output only when it fails. @throws {Error} with the hint and the end of the output. */
export function runQuietly(command, args, { hint }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => reject(new Error(`${hint}\n(${command}: ${error.message})`)));
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${output.trim()}\n\n${hint}`))));
  });
}
