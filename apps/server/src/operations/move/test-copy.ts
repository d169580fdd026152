import { randomUUID } from 'node:crypto';
import { tokenHash } from '../../auth/token.js';
import type { Keyring } from '../../keys/keyring.js';
import { sealKeyCheck } from '../../keys/open-keyring.js';
import { generateKeyPair } from '../../ssh-keys/generate-key-pair.js';
import type { Change } from './copy-table.js';
import type { Row } from './table.js';

/** What leads to clouds, hosts, repositories and registries. */
const LEFT_BEHIND: ReadonlySet<string> = new Set([
  'backends', 'secrets', 'repo_creds', 'user_tokens', 'leases', 'server_lives', 'volume_attachments', 'placement_groups',
  'service_traffic',
]); // prettier-ignore

const ENDED = new Set(['terminated', 'failed', 'done']);

/** Columns that a copy for tests has other values in. */
export const CHANGED: Readonly<Record<string, readonly string[]>> = {
  installation: ['installation_id', 'key_check', 'quarantine_until', 'last_alive_at'],
  users: ['token', 'token_hash', 'ssh_public_key', 'ssh_private_key'],
  projects: ['ssh_public_key', 'ssh_private_key', 'default_gateway_id'],
  // Ended when they were copied, which a resumed copy does not remember.
  runs: ['status_changed_at', 'finished_at'],
  jobs: ['status_changed_at', 'finished_at'],
  priced_intervals: ['ended_at'],
};

/**
 * Changes rows so that the copy can do nothing to what the original has: it is another installation with other tokens and keys and without
 * credentials, and whatever is not over is over in it.
 */
export function testCopy(installationId: string, keyring: Keyring, now: number): Change {
  const ended: Row = { next_due_at: null, lease_expires_at: null, lease_holder: null };
  return (table, row) => {
    if (LEFT_BEHIND.has(table)) return undefined;
    switch (table) {
      case 'installation':
        return {
          ...row,
          installation_id: installationId,
          key_check: row['key_check'] === null ? null : sealKeyCheck(keyring, installationId),
          quarantine_until: null,
          last_alive_at: null,
        };
      case 'users':
        return { ...row, ...newToken(keyring), ssh_public_key: null, ssh_private_key: null };
      case 'projects': {
        const { publicKey, privateKey } = generateKeyPair('dstack');
        return {
          ...row,
          ssh_public_key: publicKey,
          ssh_private_key: keyring.encrypt(privateKey),
          default_gateway_id: null,
        };
      }
      case 'runs':
      case 'jobs':
        return { ...row, ...ended, ...(ENDED.has(String(row['status'])) ? {} : terminated(now)) };
      case 'instances':
        return { ...row, ...ended, ...gone(row), host_access: null, machine: null, connection_holder: null };
      case 'fleets':
      case 'volumes':
      case 'gateways':
        return { ...row, ...ended, deleted: true };
      case 'priced_intervals':
        return { ...row, ended_at: row['ended_at'] ?? now };
      default:
        // What is reconciled and not known here shall do nothing either.
        return 'next_due_at' in row ? { ...row, ...ended } : row;
    }
  };
}

const terminated = (now: number): Row => ({ status: 'terminated', status_changed_at: now, finished_at: now });

const gone = (row: Row): Row =>
  row['deleted'] === true ? {} : { status: 'terminated', deleted: true, busy_blocks: 0, host_name: null };

function newToken(keyring: Keyring): Row {
  const token = randomUUID();
  return { token: keyring.encrypt(token), token_hash: tokenHash(token) };
}
