import { Inject, Injectable } from '@nestjs/common';
import type { SshHost } from '@dstack/core';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { readJson, writeJson } from '../reconcile/stored-json.js';

/** How a given host is reached, private keys included, and what its fleet gives it. */
export interface HostAccess {
  readonly host: SshHost;
  readonly env: Readonly<Record<string, string>>;
}

/** The access of hosts at rest: always through the keyring, never in a record that is passed around. */
@Injectable()
export class HostAccessStore {
  constructor(@Inject(Keyring) private readonly keyring: Keyring) {}

  /** @throws when the instance is no given host (any more) */
  async read(tx: ReadTx, instanceId: string): Promise<HostAccess> {
    const [row] = await tx.query<{ host_access: string | null }>('SELECT host_access FROM instances WHERE id = ?', [
      instanceId,
    ]);
    if (!row?.host_access) throw new Error(`instance ${instanceId} is not a host of a fleet`);
    return readJson<HostAccess>(this.keyring.decrypt(row.host_access));
  }

  /** Returns whether anything changed. */
  async write(tx: WriteTx, instanceId: string, access: HostAccess): Promise<boolean> {
    const text = writeJson(access);
    const [row] = await tx.query<{ host_access: string | null }>('SELECT host_access FROM instances WHERE id = ?', [
      instanceId,
    ]);
    if (row?.host_access && this.keyring.tryDecrypt(row.host_access) === text) return false;
    await tx.execute('UPDATE instances SET host_access = ?, rev = rev + 1 WHERE id = ?', [
      this.keyring.encrypt(text),
      instanceId,
    ]);
    return true;
  }
}
