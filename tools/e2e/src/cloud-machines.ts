import type { TestHost, TestNetwork } from '@dstack/test-hosts';
import { load } from 'js-yaml';
import { TEST_IMAGE } from './programs.js';

interface BootedMachine {
  readonly id: string;
  readonly userData: string | null;
}

/** The machines of clouds are hosts of this machine's own: with the keys they were launched with, after their user data ran. */
export class CloudMachines {
  private readonly hosts = new Map<string, TestHost>();
  private made = 0;

  constructor(private readonly network: TestNetwork) {}

  /** Without images: a machine without a container engine. */
  async boot({ id, userData }: BootedMachine, dockerImages: readonly string[] = [TEST_IMAGE]): Promise<string> {
    const name = `m${(this.made += 1)}`;
    const host = await this.network.host({
      name,
      user: 'ubuntu',
      ...(dockerImages.length > 0 ? { dockerImages } : {}),
    });
    this.hosts.set(id, host);
    const config = load(userData ?? '') as { ssh_authorized_keys: string[]; runcmd?: string[][] }; // cloud-init's own format
    await host.run('cat > ~ubuntu/.ssh/authorized_keys', `${config.ssh_authorized_keys.join('\n')}\n`);
    for (const [, , script] of config.runcmd ?? []) await host.run(script ?? '');
    return host.address;
  }

  async halt({ id }: Pick<BootedMachine, 'id'>): Promise<void> {
    await this.hosts.get(id)?.remove();
    this.hosts.delete(id);
  }

  hostOf(id: string): TestHost | undefined {
    return this.hosts.get(id);
  }

  get count(): number {
    return this.hosts.size;
  }
}
