import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Packing an agent or a gateway takes a CPU for seconds: the first server of a run of the tests does it for all. */
export function shareArchives(serverDir: string): void {
  const archives = process.env.DSTACK_TEST_ARCHIVES;
  if (archives === undefined) return;
  mkdirSync(serverDir, { recursive: true, mode: 0o700 });
  for (const name of ['agents', 'gateways']) {
    if (existsSync(join(serverDir, name))) continue;
    mkdirSync(join(archives, name), { recursive: true });
    symlinkSync(join(archives, name), join(serverDir, name));
  }
}
