import { FileLogStore } from '@dstack/server/parts';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from '../bench.js';

const MIB = 1024 ** 2;
const FRAME_BYTES = 64 * 1024;

/** MB/s that one log takes in when it comes in frames of 64 KiB, so many to an append; beside a file that is written and synced as often. */
export async function storeSpeed(totalMib: number, batchBytes: number): Promise<Measurement> {
  const dir = await mkdtemp(join(tmpdir(), 'dstack-bench-logs-'));
  try {
    const stored = await throughStore(dir, totalMib * MIB, batchBytes);
    const bare = await throughFile(join(dir, 'bare'), totalMib * MIB, batchBytes);
    return {
      name: `the store, ${batchBytes / 1024} KiB an append`,
      value: stored,
      unit: 'MB/s',
      floor: { what: 'a file synced as often', value: bare },
      target: { atLeast: 100 },
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function throughStore(dir: string, totalBytes: number, batchBytes: number): Promise<number> {
  const store = new FileLogStore(dir);
  const key = { projectName: 'main', runName: 'bench', jobId: 'bench', stream: 'job' as const };
  const payload = Buffer.alloc(FRAME_BYTES, 'x');
  const frames = Array.from({ length: batchBytes / FRAME_BYTES }, () => ({ at: Date.now(), payload }));
  try {
    return await speed(totalBytes, async () => {
      for (let end = 0; end < totalBytes;) end = await store.append(key, end, frames);
    });
  } finally {
    await store.close();
  }
}

async function throughFile(path: string, totalBytes: number, batchBytes: number): Promise<number> {
  const batch = Buffer.alloc(batchBytes, 'x');
  const file = await open(path, 'w');
  try {
    return await speed(totalBytes, async () => {
      for (let written = 0; written < totalBytes; written += batchBytes) {
        await file.write(batch, 0, batch.length, written);
        await file.datasync();
      }
    });
  } finally {
    await file.close();
  }
}

async function speed(totalBytes: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return totalBytes / 1e6 / ((performance.now() - startedAt) / 1000);
}
