import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayCertificate } from '@dstack/gateway-protocol';
import { writeFileAtomically } from '../files/write-file-atomically.js';

export interface StoredCertificate {
  /** PEM with chain and key; another certificate of the host has another path. */
  readonly path: string;
  /** Unix ms. */
  readonly notBefore: number;
  readonly expiresAt: number;
}

const FILE = /^(.+)\.(\d+)\.pem$/;
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/;

/** The certificates of this gateway, a file for each; of a host the one that lasts longest counts. */
export class CertificateStore {
  private readonly byHost = new Map<string, StoredCertificate>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly directory: string) {}

  async load(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.directory)) {
      const host = FILE.exec(name)?.[1];
      if (host === undefined) continue;
      const path = join(this.directory, name);
      try {
        this.take(host, path, new X509Certificate(await readFile(path)));
      } catch {
        // A file that is no certificate is none.
      }
    }
  }

  find(host: string): StoredCertificate | null {
    return this.byHost.get(host) ?? null;
  }

  /** Gives whether it is the one that counts now. @throws {RangeError} when it is not for the host, or over, or not its key's */
  async put({ host, chain, privateKey }: GatewayCertificate, now: number): Promise<boolean> {
    const certificate = parse(host, chain);
    if (certificate.checkHost(host) === undefined) throw new RangeError(`the certificate is not for ${host}`);
    const expiresAt = certificate.validToDate.getTime();
    if (expiresAt <= now) throw new RangeError(`the certificate for ${host} has expired`);
    if (!isKeyOf(certificate, privateKey)) throw new RangeError(`the key is not that of the certificate for ${host}`);
    if ((this.find(host)?.expiresAt ?? 0) >= expiresAt) return false;
    const path = join(this.directory, `${host}.${Math.floor(expiresAt / 1000)}.pem`);
    return this.inTurn(async () => {
      await writeFileAtomically(path, `${chain.trim()}\n${privateKey.trim()}\n`);
      return this.take(host, path, certificate);
    });
  }

  /** All that hold, with their keys. */
  async all(now: number): Promise<GatewayCertificate[]> {
    return Promise.all(
      [...this.byHost]
        .filter(([, { expiresAt }]) => expiresAt > now)
        .map(async ([host, { path }]) => {
          const text = await readFile(path, 'utf8');
          const privateKey = KEY.exec(text)?.[0] ?? '';
          return { host, chain: text.replace(KEY, '').trim(), privateKey };
        }),
    );
  }

  /** Files that no longer count, once nothing refers to them. */
  prune(): Promise<void> {
    return this.inTurn(async () => {
      const kept = new Set([...this.byHost.values()].map(({ path }) => path));
      for (const name of await readdir(this.directory)) {
        const path = join(this.directory, name);
        if (!kept.has(path)) await rm(path, { force: true });
      }
    });
  }

  /** A file that is being written is none that nobody needs. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private take(host: string, path: string, { validFromDate, validToDate }: X509Certificate): boolean {
    const found = { path, notBefore: validFromDate.getTime(), expiresAt: validToDate.getTime() };
    if ((this.find(host)?.expiresAt ?? 0) >= found.expiresAt) return false;
    this.byHost.set(host, found);
    return true;
  }
}

function parse(host: string, chain: string): X509Certificate {
  try {
    return new X509Certificate(chain);
  } catch (error) {
    throw new RangeError(`the certificate for ${host} is none`, { cause: error });
  }
}

function isKeyOf(certificate: X509Certificate, privateKey: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKey));
  } catch {
    return false;
  }
}
