import { createHash } from 'node:crypto';
import type { GatewayAccess, TokenAccess } from '@dstack/gateway-protocol';

/** Of a header that holds a token; each is hashed. */
const MOST_WORDS = 64;

/** Whom the server lets in, by the hashes of their tokens. */
export class TokenBook {
  private byHash: ReadonlyMap<string, TokenAccess> = new Map();
  private held = -1;

  /** -1: it holds nothing yet. */
  get revision(): number {
    return this.held;
  }

  /** An older one than is held is not taken. */
  take(access: GatewayAccess): boolean {
    if (access.revision < this.held) return false;
    this.byHash = new Map(access.tokens.map((token) => [token.hash, token]));
    this.held = access.revision;
    return true;
  }

  /** Undefined: it is no valid token of the server's. */
  find(token: string, now: number): TokenAccess | undefined {
    const found = this.byHash.get(createHash('sha256').update(token, 'utf8').digest('hex'));
    return found === undefined || (found.expiresAt !== null && found.expiresAt <= now) ? undefined : found;
  }

  /** Whether a valid token stands anywhere in a header: however it is meant, it is nothing for a replica. */
  isIn(header: string | undefined, now: number): boolean {
    const words = (header ?? '').split(/[\s,;="]+/, MOST_WORDS);
    return words.some((word) => word !== '' && this.find(word, now) !== undefined);
  }
}

/** Undefined when the scheme is not Bearer. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer[ \t]+(\S+)[ \t]*$/i.exec(header ?? '')?.[1];
}
