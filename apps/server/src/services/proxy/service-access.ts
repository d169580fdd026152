import { Inject, Injectable } from '@nestjs/common';
import { mayEnterProject } from '../../auth/access-decision.js';
import { AuthService } from '../../auth/auth.service.js';
import { bearerToken, tokenHash } from '../../auth/token.js';
import { WORLD, type World } from '../../world/world.js';

/** A token that was revoked is let in for no longer than this. */
const KEPT_MS = 3_000;
const MOST_KEPT = 10_000;

/** What a token is to a project. */
export type Visitor =
  /** Of this product, and a member. */
  | 'member'
  /** Of this product, and of no member. */
  | 'stranger'
  /** None of this product: whatever it is, it is the service's. */
  | 'unknown';

/** Who asks for services; answers are kept for seconds, as every request asks. */
@Injectable()
export class ServiceAccess {
  private readonly known = new Map<string, { readonly until: number; readonly visitor: Promise<Visitor> }>();

  constructor(
    private readonly auth: AuthService,
    @Inject(WORLD) private readonly world: World,
  ) {}

  visitor(authorization: string | undefined, projectName: string): Promise<Visitor> {
    const token = bearerToken(authorization);
    if (token === undefined) return Promise.resolve('unknown');
    const key = `${tokenHash(token)} ${projectName}`;
    const now = this.world.clock.now();
    const known = this.known.get(key);
    if (known !== undefined && known.until > now) return known.visitor;
    if (this.known.size >= MOST_KEPT) this.known.clear();
    const visitor = this.ask(token, projectName);
    this.known.set(key, { until: now + KEPT_MS, visitor });
    visitor.catch(() => this.known.delete(key));
    return visitor;
  }

  private async ask(token: string, projectName: string): Promise<Visitor> {
    const { caller, scope } = await this.auth.enterProject(token, projectName);
    if (caller === undefined) return 'unknown';
    return scope !== undefined && mayEnterProject('proxy_project_member', scope) ? 'member' : 'stranger';
  }
}
