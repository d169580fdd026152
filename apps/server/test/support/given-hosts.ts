import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wire } from '@dstack/core';
import type { TestServer } from './start-test-server.js';

export interface HostSize {
  readonly gpus?: number;
  readonly cpus?: number;
  readonly blocks?: number;
}

let key: Wire.SSHKey | undefined;

function someKey(): Wire.SSHKey {
  if (key !== undefined) return key;
  const directory = mkdtempSync(join(tmpdir(), 'dstack-keys-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'id')]);
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  key = { public: read('id.pub').trim(), private: read('id') };
  rmSync(directory, { recursive: true, force: true });
  return key;
}

/** An SSH fleet whose hosts are ready as far as the server's rows say: enough for whatever is decided about them. */
export async function giveHosts(
  server: TestServer,
  name: string,
  hosts: Readonly<Record<string, HostSize>>,
  more: object = {},
): Promise<void> {
  const ssh_config = { user: 'u', port: 1, ssh_key: someKey(), hosts: Object.keys(hosts) };
  const spec = { configuration: { type: 'fleet', name, ssh_config, ...more }, profile: { name: 'default' } };
  const reply = await server.post('/api/project/main/fleets/apply', { plan: { spec }, force: false });
  if (reply.status !== 200) throw new Error(reply.text);
  for (const [hostname, size] of Object.entries(hosts)) await makeReady(server, hostname, size);
}

async function makeReady(server: TestServer, hostname: string, size: HostSize): Promise<void> {
  const { gpus = 0, cpus = 16, blocks = 1 } = size;
  const gpu = { name: 'A100', memory_mib: 81_920, vendor: 'nvidia' };
  const resources = { cpus, memory_mib: 1 << 19, gpus: Array<object>(gpus).fill(gpu), spot: false, disk: { size_mib: 1 << 20 }, description: '' }; // prettier-ignore
  const offer = { backend: 'remote', region: 'remote', price: 0, availability: 'available', instance: { name: 'instance', resources } }; // prettier-ignore
  await server.db.write((tx) =>
    tx.execute(
      `UPDATE instances SET status = 'idle', offer = ?, total_blocks = ?, connection_holder = 'test', connection_expires_at = ?,
         agent_info = ?, next_due_at = NULL, rev = rev + 1 WHERE host_name = ?`,
      [JSON.stringify(offer), blocks, 2 ** 45, JSON.stringify({ info: null, connectedSince: 1 }), hostname],
    ),
  );
}
