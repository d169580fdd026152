import { DATABASE } from './variable-groups/database.js';
import { HOSTS_AND_AGENTS } from './variable-groups/hosts-and-agents.js';
import { IMAGES_OF_JOBS } from './variable-groups/images-of-jobs.js';
import { LIMITS_AND_POLICIES } from './variable-groups/limits-and-policies.js';
import { LITESTREAM } from './variable-groups/litestream.js';
import { LOGS_OF_JOBS } from './variable-groups/logs-of-jobs.js';
import { OBSERVABILITY } from './variable-groups/observability.js';
import { PRICES } from './variable-groups/prices.js';
import { RETENTION } from './variable-groups/retention.js';
import { SERVER } from './variable-groups/server.js';
import { SERVICES_AND_GATEWAYS } from './variable-groups/services-and-gateways.js';
import { SIGNING_IN } from './variable-groups/signing-in.js';
import { UPLOADS } from './variable-groups/uploads.js';
import type { Variable } from './variable.js';

/**
 * Every environment variable of the server, by what it is about: those of the contract, also the ones without effect here, and ours. `docs/reference/env.md`
 * is made of it (`npm run generate`).
 */
export const VARIABLE_GROUPS = {
  Server: SERVER,
  Database: DATABASE,
  Litestream: LITESTREAM,
  Observability: OBSERVABILITY,
  Retention: RETENTION,
  'Logs of jobs': LOGS_OF_JOBS,
  Uploads: UPLOADS,
  'Limits and policies': LIMITS_AND_POLICIES,
  'Services and gateways': SERVICES_AND_GATEWAYS,
  Prices: PRICES,
  'Signing in': SIGNING_IN,
  'Images of jobs': IMAGES_OF_JOBS,
  'Hosts and agents': HOSTS_AND_AGENTS,
} as const satisfies Readonly<Record<string, Readonly<Record<string, Variable>>>>;
