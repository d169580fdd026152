import { join } from 'node:path';
import type { AcmeSettings, CertificateStatus, GatewayCertificate, HttpsMode } from '@dstack/gateway-protocol';
import type { GatewaySettings } from '../settings.js';
import type { AcmeIssuer } from './acme-issuer.js';
import { CertificateKeeper, type CertificateKeeperTools } from './certificate-keeper.js';
import { CertificateStore } from './certificate-store.js';
import type { ChallengeBook } from './challenge-book.js';
import { findName } from './find-name.js';

export interface Named {
  readonly host: string;
  readonly https: HttpsMode;
}

export interface CertificatesParts extends Pick<CertificateKeeperTools, 'now' | 'after' | 'changed' | 'renewed'> {
  readonly settings: Pick<GatewaySettings, 'dir' | 'dns'>;
  readonly challenges: ChallengeBook;
}

/** The certificates of this gateway's names: those it has, those the server brings, those it gets itself. */
export class Certificates {
  private readonly store: CertificateStore;
  private readonly keeper: CertificateKeeper;
  private issuer: AcmeIssuer | null = null;

  constructor(private readonly parts: CertificatesParts) {
    const { settings, now, after, changed, renewed } = parts;
    this.store = new CertificateStore(join(settings.dir, 'certificates'));
    this.keeper = new CertificateKeeper({
      store: this.store,
      issue: async (host, acme) => (await this.acmeIssuer()).issue(host, acme),
      findName: (host) => findName(host, settings.dns),
      now,
      after,
      changed,
      renewed,
    });
  }

  load(): Promise<void> {
    return this.store.load();
  }

  /** Those of these names that need one. */
  update(named: readonly Named[], acme: AcmeSettings | null): void {
    this.keeper.update(named.filter(needsCertificate).map(({ host }) => host), acme); // prettier-ignore
  }

  /** Null: it needs none, or has none yet. */
  pathOf(named: Named): string | null {
    return needsCertificate(named) ? (this.store.find(named.host)?.path ?? null) : null;
  }

  /** Null: it needs none. */
  statusOf(named: Named): CertificateStatus | null {
    return needsCertificate(named) ? this.keeper.status(named.host) : null;
  }

  /** With their keys. */
  all(): Promise<GatewayCertificate[]> {
    return this.store.all(this.parts.now());
  }

  /** Gives whether any of them counts now. @throws {RangeError} for one that is not its host's, or over */
  async put(certificates: readonly GatewayCertificate[]): Promise<boolean> {
    let isAnyNew = false;
    for (const certificate of certificates)
      isAnyNew = (await this.store.put(certificate, this.parts.now())) || isAnyNew;
    if (isAnyNew) this.keeper.look();
    return isAnyNew;
  }

  /** When nginx reads none of the former ones any more. */
  async prune(): Promise<void> {
    await this.store.prune();
  }

  stop(): void {
    this.keeper.stop();
  }

  /** Its library is half of this program, and many gateways never need it. */
  private async acmeIssuer(): Promise<AcmeIssuer> {
    const { AcmeIssuer: Issuer } = await import('./acme-issuer.js');
    this.issuer ??= new Issuer(join(this.parts.settings.dir, 'acme'), this.parts.challenges);
    return this.issuer;
  }
}

function needsCertificate({ https }: Named): boolean {
  return https === 'certificate';
}
