import type { Variable } from '../variable.js';

export const RETENTION = {
  DSTACK_SERVER_METRICS_RUNNING_TTL_SECONDS: {
    type: 'integer',
    default: 3600,
    says: 'Metric retention for running jobs',
  },
  DSTACK_SERVER_METRICS_FINISHED_TTL_SECONDS: {
    type: 'integer',
    default: 604800,
    says: 'Metric retention for finished jobs',
  },
  DSTACK_SERVER_INSTANCE_HEALTH_TTL_SECONDS: {
    type: 'integer',
    default: 604800,
    says: 'Retention of instance health checks',
  },
  DSTACK_SERVER_EVENTS_TTL_SECONDS: {
    type: 'integer',
    default: 2592000,
    says: 'How long events are kept; 0: none are kept',
  },
  DSTACK_SERVER_LOGS_TTL_SECONDS: {
    type: 'integer',
    default: 0,
    says: 'How long logs of finished runs are kept; 0: as long as the run',
    ours: true,
  },
  DSTACK_SERVER_RUNS_TTL_SECONDS: {
    type: 'integer',
    default: 0,
    says: 'How long finished runs are kept, with jobs, logs, metrics and costs; 0: for ever',
    ours: true,
  },
  DSTACK_SERVER_ENDED_TTL_SECONDS: {
    type: 'integer',
    default: 2592000,
    says: 'How long ended machines and deleted fleets, volumes and gateways are kept, unless a run that is kept had them; 0: for ever',
    ours: true,
  },
  DSTACK_SERVER_UPLOADS_TTL_SECONDS: {
    type: 'integer',
    default: 0,
    says: 'How long uploaded code and files are kept that no unfinished run uses; 0: for ever',
    ours: true,
  },
} as const satisfies Readonly<Record<string, Variable>>;
