import { type AttemptFailure, nextAttempt } from '@dstack/core';
import type { AcmeSettings, CertificateStatus, GatewayCertificate, GatewayProblem } from '@dstack/gateway-protocol';
import type { CertificateStore } from './certificate-store.js';
import { NameError } from './find-name.js';

export interface CertificateKeeperTools {
  readonly store: CertificateStore;
  readonly issue: (host: string, settings: AcmeSettings) => Promise<GatewayCertificate>;
  /** @throws {NameError} */
  readonly findName: (host: string) => Promise<void>;
  readonly now: () => number;
  readonly after: (ms: number, then: () => void) => { cancel(): void };
  /** A problem came or went. */
  readonly changed: () => void;
  /** A host has another certificate than before. */
  readonly renewed: () => void;
}

const MOST_AT_A_TIME = 2;
/** Timers do not reach further. */
const LONGEST_PAUSE_MS = 24 * 60 * 60_000;

interface Host {
  failures: number;
  lastFailure: { readonly at: number; readonly kind: AttemptFailure } | null;
  problem: GatewayProblem | null;
  isBusy: boolean;
}

/** Sees to it that each host has a certificate, and gets the next one in time. */
export class CertificateKeeper {
  private readonly hosts = new Map<string, Host>();
  private acme: AcmeSettings | null = null;
  private timer: { cancel(): void } | null = null;
  private isStopped = false;

  constructor(private readonly tools: CertificateKeeperTools) {}

  /** The hosts that need one; other settings of the authority make all that failed start anew. */
  update(hosts: readonly string[], acme: AcmeSettings | null): void {
    const isOther = JSON.stringify(acme) !== JSON.stringify(this.acme);
    this.acme = acme;
    const wanted = new Set(hosts);
    for (const host of this.hosts.keys()) if (!wanted.has(host)) this.hosts.delete(host);
    for (const host of wanted) {
      const known = this.hosts.get(host);
      if (known === undefined) this.hosts.set(host, { failures: 0, lastFailure: null, problem: null, isBusy: false });
      else if (isOther) Object.assign(known, { failures: 0, lastFailure: null, problem: null });
    }
    this.look();
  }

  status(host: string): CertificateStatus {
    const current = this.tools.store.find(host);
    const problem = this.hosts.get(host)?.problem ?? (current === null ? this.whyNobodyAsks() : null);
    return { expiresAt: current?.expiresAt ?? null, problem };
  }

  /** Others may have brought some. */
  look(): void {
    this.timer?.cancel();
    this.timer = null;
    const { acme } = this;
    if (this.isStopped || acme === null || !acme.issues) return;
    const now = this.tools.now();
    let next = now + LONGEST_PAUSE_MS;
    let busy = [...this.hosts.values()].filter(({ isBusy }) => isBusy).length;
    for (const [name, host] of this.hosts) {
      if (host.isBusy) continue;
      const { failures, lastFailure } = host;
      const at = nextAttempt({ current: this.tools.store.find(name), failures, lastFailure });
      if (at > now) next = Math.min(next, at);
      else if (busy < MOST_AT_A_TIME) {
        busy += 1;
        void this.ask(name, host, acme);
      }
      // Whoever has no turn yet is looked at when one is over.
    }
    this.timer = this.tools.after(next - now, () => this.look());
  }

  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
  }

  private async ask(name: string, host: Host, acme: AcmeSettings): Promise<void> {
    host.isBusy = true;
    const { store, now } = this.tools;
    try {
      await this.tools.findName(name);
      await store.put(await this.tools.issue(name, acme), now());
      Object.assign(host, { failures: 0, lastFailure: null, problem: null });
      this.tools.renewed();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      host.failures += 1;
      host.lastFailure = { at: now(), kind: kindOf(error, text) };
      host.problem =
        error instanceof NameError
          ? { kind: 'dns', text }
          : { kind: 'acme', text: `no certificate for ${name}: ${text}` };
      this.tools.changed();
    } finally {
      host.isBusy = false;
      this.look();
    }
  }

  private whyNobodyAsks(): GatewayProblem | null {
    if (this.acme === null) return { kind: 'acme', text: 'no certificate authority is configured' };
    if (!this.acme.issues) return { kind: 'acme', text: 'the replica that asks for certificates has not got it yet' };
    return null;
  }
}

function kindOf(error: unknown, text: string): AttemptFailure {
  if (error instanceof NameError) return 'name';
  return /rate ?limit|too many/i.test(text) ? 'limit' : 'other';
}
