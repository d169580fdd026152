import type { BackendDefinition, Compute } from '@dstack/backend-base';
import type { InternalBackendType } from '@dstack/core';

/** One configured backend of a project, opened. */
export interface ComputeAccount {
  readonly type: InternalBackendType;
  readonly definition: Pick<
    BackendDefinition,
    | 'type'
    | 'capabilities'
    | 'ordersOffers'
    | 'idempotency'
    | 'createArrivesMs'
    | 'maxNameLength'
    | 'provisioningTimeoutMs'
  >;
  readonly compute: Compute;
}

/** The backends that projects have configured. An abstract class, so that it can be injected. */
export abstract class ComputeAccounts {
  abstract ofProject(projectId: string): Promise<readonly ComputeAccount[]>;
  /** @throws {BackendError} when the project has no such backend (any more) or it cannot be opened */
  abstract open(projectId: string, type: InternalBackendType): Promise<ComputeAccount>;
  /** The installation that owns what is created: the `dstack_server` tag. */
  abstract owner(): Promise<string>;
}
