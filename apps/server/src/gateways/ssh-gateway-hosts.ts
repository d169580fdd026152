import { Inject, Injectable, Logger } from '@nestjs/common';
import type { HostRequest } from '@dstack/backend-ssh/hosts';
import { INSTALLATION, type Installation } from '../bootstrap/installation.js';
import { Database } from '../persistence/database.js';
import { Wake } from '../reconcile/wake.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { GatewayBundles } from './gateway-bundles.js';
import { GatewayDialer } from './gateway-dialer.js';
import { GatewayHosts } from './gateway-hosts.js';
import type { GatewayReplicaRecord } from './gateway-replica-record.js';
import { wakeOlderGateways } from './wake-older-gateways.js';

/** One try; packages are fetched, and an upload over a slow line needs minutes. */
const INSTALL_LIMIT_MS = 8 * 60_000;
const UNINSTALL_LIMIT_MS = 60_000;

@Injectable()
export class SshGatewayHosts extends GatewayHosts {
  private readonly log = new Logger('Gateways');

  constructor(
    @Inject(GatewayDialer) private readonly dialer: GatewayDialer,
    @Inject(GatewayBundles) private readonly bundles: GatewayBundles,
    @Inject(INSTALLATION) private readonly installation: Installation,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'skipGatewayUpdate'>,
    db: Database,
    @Inject(Wake) wake: Wake,
  ) {
    super();
    bundles.onMade((digest) => db.write((tx) => wakeOlderGateways(tx, wake, digest)));
  }

  async install(replica: GatewayReplicaRecord, onReached: () => Promise<void>, signal: AbortSignal): Promise<string> {
    const { installGateway } = await import('@dstack/backend-ssh/hosts');
    return this.visit(replica, { signal, limitMs: INSTALL_LIMIT_MS }, async (request) => {
      const { digest } = await installGateway({
        ...request,
        bundle: async (arch) => {
          await onReached();
          return this.bundles.get(arch);
        },
      });
      this.log.log(`The gateway on host ${request.hostname} is of version ${digest.slice(0, 16)}`);
      return digest;
    });
  }

  async uninstall(replica: GatewayReplicaRecord, signal: AbortSignal): Promise<void> {
    const { removeGateway } = await import('@dstack/backend-ssh/hosts');
    await this.visit(replica, { signal, limitMs: UNINSTALL_LIMIT_MS }, (request) => removeGateway(request));
  }

  wantedDigest(installed: string): string | null {
    if (this.settings.skipGatewayUpdate) return null;
    const known = this.bundles.known();
    if (known.has(installed)) return installed;
    // Which architecture the machine has is not remembered: with one that could be meant there is no doubt.
    const [only, ...more] = known;
    return more.length === 0 ? (only ?? null) : null;
  }

  private async visit<T>(
    replica: GatewayReplicaRecord,
    { signal, limitMs }: { readonly signal: AbortSignal; readonly limitMs: number },
    work: (request: HostRequest) => Promise<T>,
  ): Promise<T> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    const { connection, hostname } = await this.dialer.dial(replica, within);
    try {
      return await work({ connection, hostname, owner: this.installation.id, instance: replica.id, signal: within });
    } finally {
      connection.close();
    }
  }
}
