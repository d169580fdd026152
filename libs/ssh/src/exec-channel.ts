import type { ClientChannel } from 'ssh2';
import { SshError } from './ssh-failure.js';
import type { ExecOptions, ExecResult } from './ssh-connection.js';

const OUTPUT_LIMIT_BYTES = 1024 * 1024;

/** Runs a started command to its end. A connection that breaks before the exit status is known rejects. */
export function finishExec(channel: ClientChannel, { stdin, signal }: ExecOptions): Promise<ExecResult> {
  const stdout = collect(channel);
  const stderr = collect(channel.stderr);
  return new Promise((resolve, reject) => {
    let exit: { code: number | null } | null = null;
    const abort = (): void => {
      channel.close();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    channel.on('exit', (code: number | null) => (exit = { code }));
    channel.on('error', reject);
    channel.on('close', () => {
      signal.removeEventListener('abort', abort);
      if (exit === null) reject(new SshError('disconnected', 'the connection broke while a command ran'));
      else resolve({ exitCode: exit.code, stdout: stdout(), stderr: stderr() });
    });
    if (stdin === undefined || typeof stdin === 'string') channel.end(stdin ?? '');
    else {
      stdin.on('error', (error: Error) => {
        channel.close();
        reject(error);
      });
      stdin.pipe(channel);
    }
    if (signal.aborted) abort();
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, OUTPUT_LIMIT_BYTES - size);
    size += kept.length;
    if (kept.length > 0) chunks.push(kept);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
