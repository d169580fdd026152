import { createServer } from 'node:net';
import { statfs } from 'node:fs/promises';
import { repositoryRoot } from './repository-root.mjs';

const NEEDED_BYTES = 1.5 * 1024 ** 3;

/** @throws {Error} with the sentence for the user: Node too old for a platform without a pinned one, disk too full, port taken. */
export async function checkMachine({ port }) {
  const major = Number(process.versions.node.split('.')[0]);
  if (process.platform !== 'linux' && major < 24) {
    throw new Error(
      `On ${process.platform} the server runs on your own Node, and ${process.versions.node} is too old: install Node 24 or newer.`,
    );
  }
  const disk = await statfs(repositoryRoot);
  const free = Number(disk.bavail) * Number(disk.bsize);
  if (free < NEEDED_BYTES) {
    throw new Error(
      `Only ${(free / 1024 ** 3).toFixed(1)} GB are free on the disk of ${repositoryRoot}; 1.5 GB are needed. Free some space, then run npm start again.`,
    );
  }
  await assertPortFree(port);
}

function assertPortFree(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `Port ${port} is taken by another program. Stop it, or choose another port: npm start -- --port ${port + 1}`,
            )
          : new Error(`Cannot listen on port ${port}: ${error.message}. Choose another: npm start -- --port 8300`),
      );
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}
