import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { AcmeSettings, GatewayCertificate } from '@dstack/gateway-protocol';
import * as acme from 'acme-client';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import type { ChallengeBook } from './challenge-book.js';

/** Asks an authority for certificates by ACME (RFC 8555) with HTTP-01. */
export class AcmeIssuer {
  constructor(
    private readonly directory: string,
    private readonly challenges: ChallengeBook,
  ) {}

  /** @throws with what the authority says */
  async issue(host: string, settings: AcmeSettings): Promise<GatewayCertificate> {
    const client = await this.client(settings);
    const order = await client.createOrder({ identifiers: [{ type: 'dns', value: host }] });
    for (const authorization of await client.getAuthorizations(order)) {
      if (authorization.status !== 'valid') await this.prove(client, host, authorization, settings.shared);
    }
    const [privateKey, request] = await acme.crypto.createCsr(
      { altNames: [host] },
      await acme.crypto.createPrivateEcdsaKey('P-256'),
    );
    const chain = await client.getCertificate(await client.finalizeOrder(order, request));
    return { host, chain, privateKey: privateKey.toString() };
  }

  private async prove(
    client: acme.Client,
    host: string,
    { challenges }: acme.Authorization,
    isShared: boolean,
  ): Promise<void> {
    const challenge = challenges.find(({ type }) => type === 'http-01');
    if (challenge === undefined) throw new Error(`the authority does not offer HTTP-01 for ${host}`);
    const { token } = challenge;
    try {
      const keyAuthorization = await client.getChallengeKeyAuthorization(challenge);
      await this.challenges.offer({ host, token, keyAuthorization }, isShared);
      await client.completeChallenge(challenge);
      await client.waitForValidStatus(challenge);
    } finally {
      this.challenges.withdraw(token);
    }
  }

  private async client({ directoryUrl, email, eab, caCertificate }: AcmeSettings): Promise<acme.Client> {
    // The library has one HTTP client for all; a gateway has one authority.
    acme.axios.defaults.httpsAgent =
      caCertificate === null ? undefined : new Agent({ ca: [...rootCertificates, caCertificate] });
    acme.axios.defaults.timeout = 30_000;
    const client = new acme.Client({
      directoryUrl,
      accountKey: await this.accountKey(directoryUrl),
      backoffAttempts: 12,
      backoffMin: 1_000,
      backoffMax: 10_000,
      ...(eab === null ? {} : { externalAccountBinding: { kid: eab.keyId, hmacKey: eab.hmacKey } }),
    });
    const contact = email === null ? {} : { contact: [`mailto:${email}`] };
    try {
      // The account is found by its key.
      await client.createAccount({ onlyReturnExisting: true });
    } catch {
      // There is none yet; if something else is wrong, it is said now.
      await client.createAccount({ termsOfServiceAgreed: true, ...contact });
      return client;
    }
    // Authorities refuse an update that changes nothing.
    if (email !== null) await client.updateAccount(contact);
    return client;
  }

  private async accountKey(directoryUrl: string): Promise<string> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const name = createHash('sha256').update(directoryUrl).digest('hex').slice(0, 16);
    const path = join(this.directory, `account-${name}.pem`);
    const known = await readFile(path, 'utf8').catch(() => null);
    if (known !== null) return known;
    const made = (await acme.crypto.createPrivateEcdsaKey('P-256')).toString();
    await writeFileAtomically(path, made);
    return made;
  }
}
