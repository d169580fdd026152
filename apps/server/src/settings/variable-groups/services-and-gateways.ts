import { RUN_SPEC_LIMITS } from '@dstack/core';
import type { Variable } from '../variable.js';

export const SERVICES_AND_GATEWAYS = {
  DSTACK_SERVER_MAX_PROBES_PER_JOB: {
    type: 'integer',
    default: RUN_SPEC_LIMITS.maxProbes,
    says: 'Probe count limit in a service',
  },
  DSTACK_SERVER_MAX_PROBE_TIMEOUT: {
    type: 'integer',
    default: RUN_SPEC_LIMITS.maxProbeTimeoutSeconds,
    says: 'Probe timeout limit in seconds',
  },
  DSTACK_ACME_SERVER: { type: 'text', otherwise: "Let's Encrypt", says: 'ACME directory used by gateways' },
  DSTACK_ACME_EAB_KID: { type: 'text', says: 'ACME external account key id' },
  DSTACK_ACME_EAB_HMAC_KEY: { type: 'text', says: 'ACME external account HMAC key', secret: true },
  DSTACK_DEFAULT_SERVICE_CLIENT_MAX_BODY_SIZE: {
    type: 'integer',
    default: 67108864,
    says: 'Bytes that the body of a request to a service behind a gateway may have; 0: any',
  },
  DSTACK_SERVICE_CLIENT_TIMEOUT: {
    type: 'integer',
    default: 60,
    says: 'Seconds that a replica of a service may take to begin its answer',
  },
  DSTACK_FORBID_SERVICES_WITHOUT_GATEWAY: { type: 'flag', says: 'Rejects services without a gateway' },
  DSTACK_SKIP_GATEWAY_UPDATE: { type: 'flag', says: 'Leaves gateway software as installed' },
  DSTACK_SERVER_SERVICES_SHARE_ORIGIN: {
    type: 'flag',
    says: 'Pages of services may act as pages of this server: they share its origin',
    ours: true,
  },
  DSTACK_SERVER_GATEWAY_DIR: {
    type: 'text',
    says: 'Holds the gateways that are put on machines, a folder each; else the installed one',
    ours: true,
  },
  DSTACK_GATEWAY_IMAGE: {
    type: 'text',
    otherwise: 'ubuntu:22.04, which installs them',
    says: 'An image with an SSH server and nginx, for gateways in clusters',
    ours: true,
  },
  DSTACK_SERVER_GATEWAY_HOLD_SECONDS: {
    type: 'integer',
    default: 3600,
    says: 'How long gateways answer requests that need a token after they heard of this server last',
    ours: true,
  },
  DSTACK_SERVER_PROXY_URL: {
    type: 'text',
    says: 'An origin that shows the services of this server and nothing else',
    ours: true,
  },
  DSTACK_ACME_EMAIL: { type: 'text', says: 'Whom the certificate authority writes to', ours: true },
  DSTACK_ACME_CA_FILE: {
    type: 'text',
    says: 'Certificate (PEM) to trust at the ACME directory beside the usual ones',
    ours: true,
  },
} as const satisfies Readonly<Record<string, Variable>>;
