import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftovers, RUN_PREFIX } from './leftovers.js';
import { NamespaceHost } from './namespace-host.js';
import { NetworkSwitch } from './network-switch.js';
import { removeCgroups } from './remove-cgroups.js';
import { runProgram } from './run-program.js';
import type { TestHost, TestHostOptions, TestNetwork } from './test-host.js';

/** @throws where {@link whyNoTestHosts} tells why */
export async function createTestNetwork(): Promise<TestNetwork> {
  await removeLeftovers();
  const random = randomBytes(2);
  const id = `${RUN_PREFIX}${process.pid}x${random.toString('hex').slice(1)}`;
  const directory = await mkdtemp(join(tmpdir(), `${id}-`));
  const identityFile = join(directory, 'id');
  await runProgram(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'dstack-test', '-f', identityFile]);
  const network = await NetworkSwitch.make(id, random.readUInt16BE());
  const hosts = new Map<string, NamespaceHost>();
  return {
    gateway: network.gateway,
    network: network.network,
    async host(options: TestHostOptions): Promise<TestHost> {
      if (hosts.has(options.name)) throw new Error(`there is a host ${options.name} already`);
      const place = {
        network,
        directory: join(directory, options.name),
        identityFile,
        cgroup: `/${id}/${options.name}`,
      };
      const host = await NamespaceHost.make(options, place);
      hosts.set(options.name, host);
      return host;
    },
    async remove(): Promise<void> {
      for (const host of hosts.values()) await host.remove();
      await network.remove();
      await removeCgroups(`/${id}`);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
