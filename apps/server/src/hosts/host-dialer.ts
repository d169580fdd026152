import { Inject, Injectable } from '@nestjs/common';
import type { SshHop } from '@dstack/core';
import type { SshConnection, SshTarget } from '@dstack/ssh';
import { Database } from '../persistence/database.js';
import { readJsonOrNull, writeJson } from '../reconcile/stored-json.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { type HostAccess, HostAccessStore } from './host-access.js';

/** Host keys as first seen; from then on no others are accepted. */
interface HostKeys {
  readonly host: string;
  readonly jump: string | null;
}

export interface DialedHost {
  readonly connection: SshConnection;
  readonly access: HostAccess;
}

/** Opens SSH connections to given hosts, pinning their keys on first use. */
@Injectable()
export class HostDialer {
  constructor(
    private readonly db: Database,
    @Inject(HostAccessStore) private readonly accesses: HostAccessStore,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
  ) {}

  /**
   * @param knownKey the host key, where whoever made the machine knows it
   * @throws {SshError}
   */
  async dial(instanceId: string, signal: AbortSignal, knownKey: string | null = null): Promise<DialedHost> {
    const { access, seen } = await this.db.read(async (tx) => {
      const [row] = await tx.query<{ host_keys: string | null }>('SELECT host_keys FROM instances WHERE id = ?', [
        instanceId,
      ]);
      return {
        access: await this.accesses.read(tx, instanceId),
        seen: readJsonOrNull<HostKeys>(row?.host_keys ?? null),
      };
    });
    const pinned = seen ?? (knownKey === null ? null : { host: knownKey, jump: null });
    // Only who has hosts pays for loading SSH.
    const { openSshConnection } = await import('@dstack/ssh');
    const connectTimeoutMs = Math.max(this.settings.sshConnectTimeoutSeconds * 1000, MIN_CONNECT_MS);
    const connection = await openSshConnection(targetOf(access, pinned), { signal, connectTimeoutMs });
    if (seen === null) await this.pin(instanceId, { host: connection.hostKey, jump: connection.jumpHostKey });
    return { connection, access };
  }

  private async pin(instanceId: string, keys: HostKeys): Promise<void> {
    await this.db.write((tx) =>
      tx.execute('UPDATE instances SET host_keys = ? WHERE id = ? AND host_keys IS NULL', [
        writeJson(keys),
        instanceId,
      ]),
    );
  }
}

// The original's 3 s is for a child process on a fast network; a login over a jump host takes longer.
const MIN_CONNECT_MS = 10_000;

function targetOf({ host }: HostAccess, pinned: HostKeys | null): SshTarget {
  const jump = host.jump === null ? null : hop(host.jump, pinned?.jump ?? null, null);
  return hop(host, pinned?.host ?? null, jump);
}

function hop(
  { hostname, port, user, privateKeys }: SshHop,
  pinnedHostKey: string | null,
  jump: SshTarget | null,
): SshTarget {
  return { host: hostname, port, user, privateKeys, pinnedHostKey, jump };
}
