import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ResourceExistsError, ResourceNotExistsError } from '../http/api-errors.js';
import { toWireTime } from '../http/wire-time.js';
import { Database } from '../persistence/database.js';
import { inList } from '../persistence/in-list.js';
import { WORLD, type World } from '../world/world.js';
import { userTarget } from './user-store.js';

interface PublicKeyRow {
  id: string;
  name: string;
  type: string;
  fingerprint: string;
  created_at: number;
}

/** Keys a user brings along, beside the pair that the server made. */
@Injectable()
export class PublicKeysService {
  constructor(
    private readonly db: Database,
    private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async list(caller: Caller): Promise<Wire.PublicKeyInfo[]> {
    const rows = await this.db.read((tx) =>
      tx.query<PublicKeyRow>(
        'SELECT id, name, type, fingerprint, created_at FROM user_public_keys WHERE user_id = ? ORDER BY created_at DESC, id',
        [caller.id],
      ),
    );
    return rows.map(toWireKey);
  }

  async add(caller: Caller, request: Wire.AddPublicKeyRequest): Promise<Wire.PublicKeyInfo> {
    const key = await parsePublicKey(request.key);
    const row: PublicKeyRow = {
      id: this.world.ids.uuid(),
      name: request.name ?? (key.comment === '' ? key.fingerprint : key.comment),
      type: key.type,
      fingerprint: key.fingerprint,
      created_at: this.world.clock.now(),
    };
    if (row.name.length > 200) throw new ClientError('The name of a key has at most 200 characters');
    await this.db.write(async (tx) => {
      const same = await tx.query('SELECT id FROM user_public_keys WHERE user_id = ? AND fingerprint = ?', [
        caller.id,
        key.fingerprint,
      ]);
      if (same.length > 0) throw new ResourceExistsError('This key is already added');
      await tx.execute(
        'INSERT INTO user_public_keys (id, user_id, name, type, fingerprint, public_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        [row.id, caller.id, row.name, row.type, row.fingerprint, key.line, row.created_at],
      );
      await this.record(tx, `Public key ${key.fingerprint} added`, caller);
    });
    return toWireKey(row);
  }

  async delete(caller: Caller, ids: readonly string[]): Promise<void> {
    await this.db.write(async (tx) => {
      const list = inList('id', ids);
      const removed = await tx.execute(`DELETE FROM user_public_keys WHERE user_id = ? AND ${list.sql}`, [
        caller.id,
        ...list.params,
      ]);
      if (removed < new Set(ids).size) throw new ResourceNotExistsError('Public key not found');
      if (removed > 0) await this.record(tx, 'Public keys deleted', caller);
    });
  }

  private record(tx: Parameters<EventRecorder['record']>[0], message: string, caller: Caller): Promise<void> {
    return this.events.record(tx, { message, actorId: caller.id, targets: [userTarget(caller.id, caller.name)] });
  }
}

function toWireKey(row: PublicKeyRow): Wire.PublicKeyInfo {
  return {
    id: row.id,
    added_at: toWireTime(row.created_at),
    name: row.name,
    type: row.type,
    fingerprint: row.fingerprint,
  };
}

interface PublicKey {
  readonly line: string;
  readonly type: string;
  readonly comment: string;
  readonly fingerprint: string;
}

async function parsePublicKey(text: string): Promise<PublicKey> {
  // Not at the start of the server: it takes 30 ms to load.
  const { default: ssh2 } = await import('ssh2');
  const parsed = ssh2.utils.parseKey(text.trim());
  if (parsed instanceof Error || Array.isArray(parsed) || parsed.isPrivateKey())
    throw new ClientError(
      'This is not an OpenSSH public key. Pass one line, such as the content of ~/.ssh/id_ed25519.pub',
    );
  const blob = parsed.getPublicSSH();
  const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  return { line: `${parsed.type} ${blob.toString('base64')}`, type: parsed.type, comment: parsed.comment, fingerprint };
}
