import type { ComputeManagementClient } from '@azure/arm-compute';

/** What Azure's libraries sign in with; they export the type from packages of their own only. */
export type TokenCredential = ConstructorParameters<typeof ComputeManagementClient>[0];
export type GetTokenOptions = NonNullable<Parameters<TokenCredential['getToken']>[1]>;
export type AccessToken = NonNullable<Awaited<ReturnType<TokenCredential['getToken']>>>;
