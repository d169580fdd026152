import { type AccessDecision, decideAccess, type GatewayService, type TokenAccess } from '@dstack/gateway-protocol';
import type { LastWord } from '../state/last-word.js';
import { keptSeconds } from './kept-seconds.js';
import { bearerToken, type TokenBook } from './token-access.js';

export interface AccessAnswer {
  readonly decision: AccessDecision;
  /** For so long nginx gives the same answer without asking. */
  readonly keptSeconds: number;
}

/** Whether a request may go on to a service, by what the server said last of tokens. */
export class WhoMayAsk {
  constructor(
    private readonly tokens: TokenBook,
    private readonly word: LastWord,
    private readonly now: () => number,
  ) {}

  decide({ auth, project }: GatewayService, authorization: string | undefined): AccessAnswer {
    const { isStale, heldUntil } = this.word;
    const now = this.now();
    const hasToken = this.tokens.isIn(authorization, now);
    const token = this.token(authorization);
    const decision = decideAccess({ auth, project, token, hasToken, isStale });
    const isAdmitted = decision.kind === 'admitted';
    const expiresAt = token?.expiresAt ?? null;
    return { decision, keptSeconds: keptSeconds({ auth, isAdmitted, now, expiresAt, heldUntil }) };
  }

  /** Undefined: it is no valid token of the server's. */
  token(authorization: string | undefined): TokenAccess | undefined {
    const token = bearerToken(authorization);
    return token === undefined ? undefined : this.tokens.find(token, this.now());
  }
}
