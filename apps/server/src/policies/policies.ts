import { Logger } from '@nestjs/common';
import type { ProjectScope } from '../auth/caller.js';
import { ClientError } from '../http/api-errors.js';
import type { Scheduler } from '../world/scheduler.js';

export type PolicyKind = 'run' | 'fleet' | 'volume' | 'gateway';

/** What is asked of a policy. It may change its copy of the spec and return it, or return nothing. */
export interface PolicyRequest {
  /** Who applies. */
  readonly user: string;
  readonly project: string;
  /** As the contract has it, with secrets that stand in it. */
  readonly spec: object;
}

export interface Policy {
  readonly name: string;
  /** @throws {Error} with the reason, to refuse. Undefined: the spec stays as it is. */
  ask(kind: PolicyKind, request: PolicyRequest, signal: AbortSignal): Promise<unknown>;
}

/** As long as the server of 0.21 waits for its plugin service. */
export const POLICY_LIMIT_MS = 8_000;

/** Asked in their order whenever something is planned or applied; each gets what the one before made of it. */
export class Policies {
  private readonly log = new Logger('Policies');

  constructor(
    private readonly policies: readonly Policy[],
    private readonly scheduler: Pick<Scheduler, 'sleep'>,
  ) {}

  /**
   * Returns what `read` makes of the spec that the policies leave; of the given one itself where there are none.
   * @throws {ClientError} when one refuses, fails, or does not answer: nothing is applied then
   */
  async apply<Spec extends object>(
    kind: PolicyKind,
    scope: ProjectScope,
    spec: Spec,
    read: (changed: unknown) => Spec,
  ): Promise<Spec> {
    let current = spec;
    for (const policy of this.policies) {
      const request = { user: scope.caller.name, project: scope.projectName, spec: structuredClone(current) };
      const changed = await this.answer(policy, kind, request);
      if (changed !== undefined) current = this.reread(policy, changed, read);
    }
    return current;
  }

  private async answer(policy: Policy, kind: PolicyKind, request: PolicyRequest): Promise<unknown> {
    const over = new AbortController();
    const late = this.scheduler.sleep(POLICY_LIMIT_MS, over.signal).then(
      () => {
        throw new ClientError(
          `Policy ${policy.name} did not answer within ${POLICY_LIMIT_MS / 1_000} s. Nothing was applied`,
        );
      },
      () => undefined, // it was not needed
    );
    try {
      return await Promise.race([policy.ask(kind, request, over.signal), late]);
    } catch (error) {
      throw this.refusal(policy, error);
    } finally {
      over.abort();
    }
  }

  private refusal(policy: Policy, error: unknown): ClientError {
    if (error instanceof ClientError) return error;
    const [name, message] = nameAndMessage(error);
    if (name === 'Error' && message !== '') return new ClientError(`Apply request rejected by policy ${policy.name}: ${message}`); // prettier-ignore
    this.log.error(`Policy ${policy.name} failed: ${name}: ${message}`);
    return new ClientError(`Policy ${policy.name} failed; the log of the server says how. Nothing was applied`);
  }

  private reread<Spec>(policy: Policy, changed: unknown, read: (changed: unknown) => Spec): Spec {
    try {
      return read(changed);
    } catch (error) {
      const [, message] = nameAndMessage(error);
      this.log.error(`Policy ${policy.name} returned something that is no such spec: ${message}`);
      throw new ClientError(`Policy ${policy.name} returned an invalid spec. Nothing was applied`);
    }
  }
}

/** Where no policy is configured, and in programs without any. */
export const NO_POLICIES = new Policies([], { sleep: () => new Promise(() => undefined) });

/** Of a spec that a policy returned; what it is worth is found out by parsing it. */
export function configurationOf(spec: unknown): unknown {
  return typeof spec === 'object' && spec !== null && 'configuration' in spec ? spec.configuration : undefined;
}

/** By shape: what a module of others throws may come from another realm, and need not be an error. */
function nameAndMessage(error: unknown): readonly [name: string, message: string] {
  if (typeof error !== 'object' || error === null) return ['thrown value', String(error)];
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  return [typeof name === 'string' ? name : 'Error', typeof message === 'string' ? message : ''];
}
