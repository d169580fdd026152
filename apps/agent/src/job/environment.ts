import type { JobStart } from '@dstack/agent-protocol';

export interface EnvironmentInput {
  readonly job: JobStart;
  readonly base: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly userName: string;
  readonly workingDir: string;
  readonly repoDir: string | undefined;
  readonly publicDir: string;
  /** Of a job that may reach the server. */
  readonly serverSocket: string | undefined;
}

/** Where a repo went before jobs could choose; kept for scripts that still read the variable. */
const LEGACY_REPO_DIR = '/workflow';

/** Lowest to highest: the container's own, `DSTACK_*`, the job's, `HOME`. Values are never expanded. */
export function buildEnvironment(input: EnvironmentInput): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.base)) {
    if (value !== undefined && !isExportedFunction(name) && !name.startsWith('DSTACK_AGENT_')) env[name] = value;
  }
  env['TERM'] ??= 'xterm-256color';
  // Commands have a terminal and nobody at its keyboard: a pager would wait for a key for ever, and git for a name.
  env['PAGER'] ??= 'cat';
  env['GIT_TERMINAL_PROMPT'] ??= '0';
  return {
    ...env,
    USER: input.userName,
    LOGNAME: input.userName,
    ...dstackVariables(input),
    ...input.job.env,
    HOME: input.home,
  };
}

export function dstackVariables(input: EnvironmentInput): Record<string, string> {
  const { job } = input;
  const { cluster } = job;
  return {
    DSTACK_RUN_ID: job.runId,
    DSTACK_JOB_ID: job.id,
    DSTACK_RUN_NAME: job.runName,
    DSTACK_REPO_ID: job.repoId,
    DSTACK_REPO_DIR: input.repoDir ?? LEGACY_REPO_DIR,
    DSTACK_WORKING_DIR: input.workingDir,
    DSTACK_NODES_NUM: String(cluster.nodesNum),
    DSTACK_NODE_RANK: String(cluster.nodeRank),
    DSTACK_NODES_IPS: cluster.nodesIps.join('\n'),
    DSTACK_MASTER_NODE_IP: cluster.nodesIps[0] ?? '',
    DSTACK_GPUS_PER_NODE: String(cluster.gpusPerNode),
    DSTACK_GPUS_NUM: String(cluster.gpusNum),
    DSTACK_MPI_HOSTFILE: `${input.publicDir}/mpi/hostfile`,
    ...serverVariables(input),
  };
}

/** Where the server is, for clients in the job; a token is theirs to bring. */
function serverVariables({ job, serverSocket }: EnvironmentInput): Record<string, string> {
  if (serverSocket === undefined) return {};
  return { DSTACK_SERVER_URL: `http+unix://${encodeURIComponent(serverSocket)}`, DSTACK_PROJECT: job.projectName };
}

function isExportedFunction(name: string): boolean {
  return name.startsWith('BASH_FUNC_') || name.endsWith('()');
}

/** Empty when any address is missing: MPI would otherwise start on fewer nodes than asked for. */
export function mpiHostfile(job: JobStart): string {
  const { nodesIps, gpusPerNode } = job.cluster;
  if (nodesIps.length === 0 || nodesIps.includes('')) return '';
  return nodesIps.map((ip) => (gpusPerNode > 0 ? `${ip} slots=${gpusPerNode}\n` : `${ip}\n`)).join('');
}

const NOT_FOR_LOGINS: ReadonlySet<string> = new Set([
  'HOSTNAME',
  'USER',
  'HOME',
  'SHELL',
  'SHLVL',
  'PWD',
  '_',
  'PAGER',
  'GIT_TERMINAL_PROMPT',
]);

/** For a login shell to source, so that it sees what the commands see. */
export function profileText(env: Readonly<Record<string, string>>): string {
  const exports = Object.entries(env)
    .filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !NOT_FOR_LOGINS.has(name))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`);
  return `${exports.join('')}cd "$DSTACK_WORKING_DIR"\n`;
}
