import type { AgentAddress, HostLogin } from '@dstack/backend-base';
import { Inject, Injectable } from '@nestjs/common';
import { acceleratorEnvironment, type Offer, type SshHost } from '@dstack/core';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { readJson, readJsonOrNull, writeJson } from '../reconcile/stored-json.js';

/** How a host is reached, private keys included, and what its fleet gives it. */
export interface HostAccess {
  readonly host: SshHost;
  readonly env: Readonly<Record<string, string>>;
}

/** The access of hosts at rest: always through the keyring, never in a record that is passed around. */
@Injectable()
export class HostAccessStore {
  constructor(@Inject(Keyring) private readonly keyring: Keyring) {}

  /** A given host as its fleet says, a machine or a container of a cloud with the project's key. @throws when nobody logs in to the instance */
  async read(tx: ReadTx, instanceId: string): Promise<HostAccess> {
    const [row] = await tx.query<AccessRow>(
      `SELECT i.host_access, i.machine, i.offer, p.ssh_private_key FROM instances i JOIN projects p ON p.id = i.project_id WHERE i.id = ?`,
      [instanceId],
    );
    if (row?.host_access) return readJson<HostAccess>(this.keyring.decrypt(row.host_access));
    const login = loginOf(readJsonOrNull<KnownMachine>(row?.machine ?? null));
    if (row === undefined || login === null) throw new Error(`nobody logs in to instance ${instanceId}`);
    const offer = readJsonOrNull<Offer>(row.offer);
    return {
      host: rentedHost(login, this.keyring.decrypt(row.ssh_private_key)),
      env: acceleratorEnvironment(offer?.instance.resources.gpus ?? []),
    };
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

interface AccessRow {
  readonly host_access: string | null;
  readonly machine: string | null;
  readonly offer: string | null;
  readonly ssh_private_key: string;
}

interface KnownMachine {
  readonly login?: HostLogin;
  readonly agent: AgentAddress | null;
}

/** A machine that comes with its agent is entered where that is. */
function loginOf(machine: KnownMachine | null): SshLogin | null {
  if (machine?.login !== undefined) return machine.login;
  return machine?.agent?.via === 'ssh' ? machine.agent : null;
}

type SshLogin = Pick<HostLogin, 'host' | 'port' | 'user' | 'jump'>;

function rentedHost({ host, port, user, jump }: SshLogin, privateKey: string): SshHost {
  const privateKeys = [privateKey];
  return {
    hostname: host,
    port,
    user,
    privateKeys,
    jump: jump === null ? null : { hostname: jump.host, port: jump.port, user: jump.user, privateKeys },
    internalIp: null,
    network: null,
    blocks: 1,
  };
}
