import { LIMITS } from '@dstack/core';
import { RELEASED_AGENT_URL } from '../../containers/agent-url.js';
import type { Variable } from '../variable.js';

export const HOSTS_AND_AGENTS = {
  DSTACK_SERVER_INSTANCE_HEALTH_MIN_COLLECT_INTERVAL_SECONDS: {
    type: 'integer',
    default: 60,
    says: 'Shortest gap between health checks of an instance',
    state: { because: 'nobody asks: agents tell of a change when it happens' },
  },
  DSTACK_SSHPROXY_API_TOKEN: {
    type: 'text',
    says: 'Token for the SSH proxy endpoint',
    secret: true,
  },
  DSTACK_SERVER_SSHPROXY_ADDRESS: { type: 'text', says: 'SSH proxy address shown to users' },
  DSTACK_SERVER_SSHPROXY_ENFORCED: {
    type: 'flag',
    says: 'Forces user SSH through the proxy: keys of people are not put into jobs and on hosts',
  },
  DSTACK_SERVER_KEEP_SHIM_TASKS: {
    type: 'flag',
    says: 'Keeps finished shim tasks for debugging',
    state: { because: 'agents are other ones' },
  },
  DSTACK_DEFAULT_CREDS_DISABLED: {
    type: 'flag',
    says: "Backends bring credentials of their own: `creds: {type: default}`, what the server's machine may do, is refused",
  },
  DSTACK_SERVER_SSH_POOL_DISABLED: {
    type: 'flag',
    says: 'Stops reuse of SSH connections to instances',
    state: { because: 'a connection costs 86 KB, not a process' },
  },
  DSTACK_SERVER_SSH_CONNECT_TIMEOUT: { type: 'integer', default: 3, says: 'SSH connect timeout in seconds' },
  DSTACK_RUNNER_VERSION: {
    type: 'text',
    says: 'Runner version to install',
    state: { because: 'agents are other ones' },
  },
  DSTACK_RUNNER_VERSION_URL: {
    type: 'text',
    says: 'URL answering the runner version',
    state: { because: 'agents are other ones' },
  },
  DSTACK_RUNNER_DOWNLOAD_URL: {
    type: 'text',
    says: 'Runner binary URL; server expands {version} and {arch}',
    state: { because: 'see DSTACK_AGENT_DOWNLOAD_URL' },
  },
  DSTACK_SHIM_VERSION: { type: 'text', says: 'Shim version to install', state: { because: 'agents are other ones' } },
  DSTACK_SHIM_VERSION_URL: {
    type: 'text',
    says: 'URL answering the shim version',
    state: { because: 'agents are other ones' },
  },
  DSTACK_SHIM_DOWNLOAD_URL: {
    type: 'text',
    says: 'Shim binary URL with {version} and {arch}',
    state: { because: 'see DSTACK_AGENT_DOWNLOAD_URL' },
  },
  DSTACK_USE_LATEST_FROM_BRANCH: {
    type: 'flag',
    says: 'Installs agents from the latest branch build',
    state: { because: 'agents are part of a release' },
  },
  DSTACK_SERVER_AGENT_DIR: {
    type: 'text',
    says: 'Holds the agents that are put on hosts, a folder each; else those that are installed',
    ours: true,
  },
  DSTACK_AGENT_DOWNLOAD_URL: {
    type: 'text',
    default: RELEASED_AGENT_URL,
    says: 'Where containers fetch the agent: a URL with `{version}`, `{arch}` and `{sha256}`',
    ours: true,
  },
  DSTACK_SERVER_BACKEND_ENDPOINTS: {
    type: 'text',
    says: "Other addresses than the clouds' own, for tests: `lambda=http://host:port,…`",
    ours: true,
  },
  DSTACK_SERVER_UNREACHABLE_JOB_SECONDS: {
    type: 'integer',
    default: LIMITS.unreachableJobMs / 1000,
    says: 'How long a job lives on whose host nobody can reach',
    ours: true,
  },
} as const satisfies Readonly<Record<string, Variable>>;
