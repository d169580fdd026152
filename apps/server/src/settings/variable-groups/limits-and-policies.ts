import type { Variable } from '../variable.js';

export const LIMITS_AND_POLICIES = {
  DSTACK_SERVER_MAX_OFFERS_TRIED: { type: 'integer', default: 25, says: 'Offers tried per provisioning attempt' },
  DSTACK_USER_PROJECT_DEFAULT_QUOTA: { type: 'integer', default: 10, says: 'Projects a user may own' },
  DSTACK_FORBID_DSTACK_IN_RUNS: { type: 'flag', says: 'Rejects runs with dstack set to true' },
  DSTACK_SERVER_TEMPLATES_REPO: {
    type: 'text',
    says: 'Git repo with UI templates of projects that name none',
    secret: true,
  },
  DSTACK_PLUGIN_SERVICE_URI: {
    type: 'text',
    says: 'Base URL of the REST plugin service, which is asked before anything is applied',
    secret: true,
  },
  DSTACK_SERVER_PLUGINS: {
    type: 'text',
    says: 'Modules with policies, separated by commas, beside those in plugins of config.yml',
    ours: true,
  },
} as const satisfies Readonly<Record<string, Variable>>;
