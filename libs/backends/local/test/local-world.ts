import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Attempt, Call } from '@dstack/backend-base';
import type { ComputeUnderTest } from '@dstack/backend-base/conformance';
import { LocalCompute, type LocalComputeOptions, type LocalMachine } from '../src/compute.js';
import { localDefinition } from '../src/definition.js';

export const OWNER = 'installation-1';

export const MACHINE: LocalMachine = {
  hostname: 'test-machine',
  cpus: 16,
  cpuArch: 'x86',
  memoryMib: 64 * 1024,
  gpus: [0, 1].map(() => ({ name: 'A100', memory_mib: 80 * 1024, vendor: 'nvidia' })),
  dockerSocket: null,
};

export const call = (): Call => ({ signal: new AbortController().signal, deadline: Date.now() + 20_000 });

export function requirements(cpus = 2, memoryGb = 8, gpus = 0) {
  return {
    resources: {
      cpu: { count: { min: cpus, max: null } },
      memory: { min: memoryGb, max: null },
      gpu: { count: { min: gpus, max: null } },
    },
    spot: false,
  };
}

export interface LocalWorld extends ComputeUnderTest {
  readonly root: string;
  readonly compute: LocalCompute;
  /** The compute of a server that starts on the same directory. */
  restart(): LocalCompute;
  attempt(name?: string): Promise<Attempt>;
}

export async function startLocalWorld(overrides: Partial<LocalComputeOptions> = {}): Promise<LocalWorld> {
  const root = await mkdtemp(join(tmpdir(), 'local-'));
  const options = {
    machine: MACHINE,
    rootDirectory: root,
    jobsDirectory: join(root, 'work of jobs'),
    agentCommand: [process.execPath, fileURLToPath(new URL('./fake-agent.mjs', import.meta.url))],
    now: Date.now,
    ...overrides,
  };
  const compute = new LocalCompute(options);
  const attempt = async (name = 'agent'): Promise<Attempt> => {
    const [offer] = await compute.offers(
      { requirements: requirements(), fullOffers: false, unallocated: false },
      call(),
    );
    if (offer === undefined) throw new Error('no offer');
    const token = randomUUID();
    return {
      token,
      cloudName: `${name}-${token.slice(0, 8)}`,
      owner: OWNER,
      project: 'main',
      user: 'admin',
      instanceName: 'fleet-0',
      offer,
      zone: null,
      reservation: null,
      tags: {},
      authorizedKeys: [],
      volumeIds: [],
      placementGroup: null,
      userData: null,
      container: null,
    };
  };
  return {
    definition: localDefinition,
    compute,
    owner: OWNER,
    root,
    attempt,
    restart: () => new LocalCompute(options),
    async exhaust() {
      for (;;) {
        const next = await attempt();
        if (next.offer.availability !== 'available') return;
        await compute.create(next, call());
      }
    },
    settleMs: 15_000,
    async close() {
      for (const { ref } of await compute.list(OWNER, call())) {
        while ((await compute.terminate(ref, call())) !== 'done');
      }
      await rm(root, { recursive: true, force: true });
    },
  };
}
