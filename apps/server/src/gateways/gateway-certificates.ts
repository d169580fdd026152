import type { ChallengeAnswer, GatewayApi, GatewayCertificate, GatewayStatus } from '@dstack/gateway-protocol';
import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';
import { Database } from '../persistence/database.js';
import type { ReadTx } from '../persistence/transaction.js';
import { readJson, readJsonOrNull, writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';
import type { DesiredGateway } from './desired-state.js';

interface OtherReplica {
  readonly id: string;
  readonly challenges: string | null;
  readonly challenges_seen: string | null;
}

/**
 * Certificates and open challenges of a gateway, shared by its replicas: whichever is asked can answer, and a replica that is replaced needs no
 * new certificate.
 */
@Injectable()
export class GatewayCertificates {
  /** By replica: what it was given last, so that nothing is sent twice. */
  private readonly given = new Map<string, string>();

  constructor(
    private readonly db: Database,
    @Inject(Keyring) private readonly keyring: Keyring,
    @Inject(Wake) private readonly wake: Wake,
  ) {}

  /** Gives a replica what the others of its gateway have. */
  async exchange({ gateway, replica, state }: DesiredGateway, api: GatewayApi, signal: AbortSignal): Promise<void> {
    if (state.acme === null) return;
    const { certificates, others } = await this.db.read(async (tx) => ({
      certificates: await this.stored(tx, gateway.id),
      others: await tx.query<OtherReplica>(
        `SELECT id, challenges, challenges_seen FROM gateway_replicas WHERE gateway_id = ? AND deleted = ? AND status = 'running'`,
        [gateway.id, false],
      ),
    }));
    await this.once(`${replica.id} certificates`, certificates, () => api.putCertificates(certificates, signal));
    const own = answersOf(others.find(({ id }) => id === replica.id)?.challenges);
    const rest = others.filter(({ id }) => id !== replica.id);
    const theirs = rest.flatMap(({ challenges }) => answersOf(challenges));
    const areReady = rest.every(({ challenges_seen: seen }) => includesAll(answersOf(seen), own));
    const answers = [...theirs, ...(areReady ? own : [])];
    await this.once(`${replica.id} challenges`, answers, async () => {
      await api.putChallenges(answers, signal);
      await this.db.write(async (tx) => {
        await tx.execute('UPDATE gateway_replicas SET challenges_seen = ? WHERE id = ?', [
          writeJson(theirs),
          replica.id,
        ]);
        if (theirs.length > 0) this.wake.gateways(tx);
      });
    });
  }

  /** Keeps what a replica has: new certificates, and the challenges it waits to be shared. */
  async take(
    { gateway, replica, state }: DesiredGateway,
    status: GatewayStatus,
    api: GatewayApi,
    signal: AbortSignal,
  ): Promise<void> {
    if (state.acme === null) return;
    const open = writeJson(status.challenges);
    await this.db.write(async (tx) => {
      const changed = await tx.execute(
        'UPDATE gateway_replicas SET challenges = ? WHERE id = ? AND (challenges IS NULL OR challenges <> ?)',
        [open, replica.id, open],
      );
      if (changed === 1 && status.challenges.length > 0) this.wake.gateways(tx);
    });
    const known = await this.db.read((tx) =>
      tx.query<{ host: string; expires_at: number }>(
        'SELECT host, expires_at FROM gateway_certificates WHERE gateway_id = ?',
        [gateway.id],
      ),
    );
    const expiries = [...status.services, ...status.modelHosts].flatMap(({ host, certificate }) => {
      const expiresAt = certificate?.expiresAt ?? null;
      return expiresAt === null ? [] : [{ host, expiresAt }];
    });
    const news = expiries.filter(
      ({ host, expiresAt }) => !known.some((row) => row.host === host && Number(row.expires_at) >= expiresAt),
    );
    if (news.length === 0) return;
    const held = await api.certificates(signal);
    await this.db.write(async (tx) => {
      for (const { host, expiresAt } of news) {
        const certificate = held.find((each) => each.host === host);
        if (certificate === undefined) continue;
        await tx.execute(
          `INSERT INTO gateway_certificates (gateway_id, host, certificate, expires_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (gateway_id, host) DO UPDATE SET certificate = excluded.certificate, expires_at = excluded.expires_at`,
          [gateway.id, host, this.keyring.encrypt(writeJson(certificate)), expiresAt],
        );
      }
      this.wake.gateways(tx);
    });
  }

  /** A new connection may be to a machine that has lost what it was given. */
  forget(replicaId: string): void {
    for (const key of this.given.keys()) if (key.startsWith(`${replicaId} `)) this.given.delete(key);
  }

  private async stored(tx: ReadTx, gatewayId: string): Promise<GatewayCertificate[]> {
    const rows = await tx.query<{ certificate: string }>(
      'SELECT certificate FROM gateway_certificates WHERE gateway_id = ? ORDER BY host',
      [gatewayId],
    );
    return rows.flatMap((row) => {
      const text = this.keyring.tryDecrypt(row.certificate);
      return text === undefined ? [] : [readJson<GatewayCertificate>(text)];
    });
  }

  private async once(key: string, value: readonly unknown[], give: () => Promise<void>): Promise<void> {
    const text = writeJson(value);
    if ((this.given.get(key) ?? '[]') === text) return;
    await give();
    this.given.set(key, text);
  }
}

function answersOf(text: string | null | undefined): readonly ChallengeAnswer[] {
  return readJsonOrNull<ChallengeAnswer[]>(text ?? null) ?? [];
}

function includesAll(seen: readonly ChallengeAnswer[], own: readonly ChallengeAnswer[]): boolean {
  return own.every(({ host, token }) => seen.some((each) => each.host === host && each.token === token));
}
