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
  /** Whether the cloud takes the credentials; absent: there is nothing to check. */
  readonly check?: () => Promise<CredentialCheck>;
  /** What is to be known of its prices, for people; absent or null: nothing. */
  readonly priceRemark?: () => string | null;
}

/** `unverified`: nobody could tell; what a catalog says is offered nevertheless. Only a refusal is one. */
export type CredentialCheck =
  { readonly state: 'verified' } | { readonly state: 'unverified' | 'refused'; readonly reason: string };

export interface UnusableBackend {
  readonly type: string;
  /** For people. */
  readonly reason: string;
}

/** The backends that projects have configured. An abstract class, so that it can be injected. */
export abstract class ComputeAccounts {
  abstract ofProject(projectId: string): Promise<readonly ComputeAccount[]>;
  /** The others that the project has configured, and why they cannot be opened. */
  unusable(_projectId: string): Promise<readonly UnusableBackend[]> {
    return Promise.resolve([]);
  }
  /** @throws {BackendError} when the project has no such backend (any more) or it cannot be opened */
  abstract open(projectId: string, type: InternalBackendType): Promise<ComputeAccount>;
  /** The installation that owns what is created: the `dstack_server` tag. */
  abstract owner(): Promise<string>;
}
