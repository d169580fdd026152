import { connect, type NetConnectOpts } from 'node:net';

const LIMIT_MS = 10_000;

/** What comes back for these bytes until the other side closes. @throws when it does not, although nothing more will come */
export function sendRaw(to: NetConnectOpts, pieces: readonly (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(to);
    const chunks: Buffer[] = [];
    const text = (): string => Buffer.concat(chunks).toString('latin1');
    const limit = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection is still open after ${LIMIT_MS} ms; so far: ${text().slice(0, 300)}`));
    }, LIMIT_MS);
    socket.on('data', (chunk) => chunks.push(chunk));
    // A server that hangs up early resets what is still under way: what it said before counts.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(limit);
      resolve(text());
    });
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}
