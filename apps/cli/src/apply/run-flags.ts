import * as Flags from '@oclif/core/flags';

/** Resources a run must have; each replaces the whole field of the file. */
export const resourceFlags = {
  cpu: Flags.string({ summary: 'CPUs, e.g. 4.. or arm:8', helpValue: 'SPEC', helpGroup: 'RESOURCES' }),
  gpu: Flags.string({ summary: 'GPUs, e.g. H100:8 or 24GB..', helpValue: 'SPEC', helpGroup: 'RESOURCES' }),
  memory: Flags.string({ summary: 'Memory, e.g. 64GB..', helpValue: 'RANGE', helpGroup: 'RESOURCES' }),
  disk: Flags.string({ summary: 'Disk, e.g. 100GB..', helpValue: 'RANGE', helpGroup: 'RESOURCES' }),
};

const SPOT = ['spot', 'on-demand', 'spot-auto', 'spot-policy'];
const RETRY = ['retry', 'no-retry', 'retry-duration'];
const REUSE = ['reuse', 'dont-destroy', 'idle-duration'];
const others = (group: readonly string[], name: string) => group.filter((each) => each !== name);

/** Profile parameters on the command line. */
export const profileFlags = {
  profile: Flags.string({ summary: 'The profile to use', helpValue: 'NAME', exclusive: ['no-profile'] }),
  'no-profile': Flags.boolean({ summary: 'Use no profile, not even the default one' }),
  'max-price': Flags.string({ summary: 'Highest price of an instance per hour, in dollars', helpValue: 'PRICE' }),
  'max-duration': Flags.string({ summary: 'Longest time to run: a duration or off', helpValue: 'DURATION' }),
  backend: Flags.string({
    char: 'b',
    summary: 'Only these backends',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME',
  }),
  region: Flags.string({
    char: 'r',
    summary: 'Only these regions',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME',
  }),
  'instance-type': Flags.string({
    summary: 'Only these instance types',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME',
  }),
  fleet: Flags.string({ summary: 'Only these fleets', multiple: true, multipleNonGreedy: true, helpValue: 'NAME' }),
  reuse: Flags.boolean({ char: 'R', summary: 'Only instances that are there', exclusive: others(REUSE, 'reuse') }),
  'dont-destroy': Flags.boolean({
    summary: 'Keep the instance when it is idle',
    exclusive: others(REUSE, 'dont-destroy'),
  }),
  'idle-duration': Flags.string({
    summary: 'How long to keep an idle instance',
    helpValue: 'DURATION',
    exclusive: others(REUSE, 'idle-duration'),
  }),
  spot: Flags.boolean({ summary: 'Only spot instances', exclusive: others(SPOT, 'spot') }),
  'on-demand': Flags.boolean({ summary: 'Only on-demand instances', exclusive: others(SPOT, 'on-demand') }),
  'spot-auto': Flags.boolean({
    summary: 'Spot or on-demand, whichever is cheaper',
    exclusive: others(SPOT, 'spot-auto'),
  }),
  'spot-policy': Flags.string({
    summary: 'Spot policy',
    options: ['spot', 'on-demand', 'auto'],
    exclusive: others(SPOT, 'spot-policy'),
  }),
  retry: Flags.boolean({ summary: 'Retry on any event', exclusive: others(RETRY, 'retry') }),
  'no-retry': Flags.boolean({ summary: 'Do not retry', exclusive: others(RETRY, 'no-retry') }),
  'retry-duration': Flags.string({
    summary: 'How long to retry',
    helpValue: 'DURATION',
    exclusive: others(RETRY, 'retry-duration'),
  }),
};

export const offerFlags = {
  'max-offers': Flags.integer({ summary: 'How many offers to show', min: 1 }),
  'full-offers': Flags.boolean({ summary: 'Show whole instances instead of blocks' }),
  unallocated: Flags.boolean({ summary: 'Show what is left of instances in use' }),
};

export const repoFlags = {
  repo: Flags.string({
    char: 'P',
    summary: 'The repository: a path or a URL',
    helpValue: 'REPO',
    exclusive: ['no-repo'],
  }),
  'repo-branch': Flags.string({ summary: 'The branch of a repository given by URL', helpValue: 'BRANCH' }),
  'repo-hash': Flags.string({ summary: 'The commit of a repository given by URL', helpValue: 'HASH' }),
  'no-repo': Flags.boolean({ summary: 'Take no repository along' }),
  token: Flags.string({ char: 't', summary: 'Access token of the repository', helpValue: 'TOKEN' }),
  'git-identity': Flags.string({ summary: 'Private key of the repository', helpValue: 'FILE' }),
};

export const sharedFlags = {
  name: Flags.string({ char: 'n', summary: 'The name; default that of the file', helpValue: 'NAME' }),
  env: Flags.string({
    char: 'e',
    summary: 'Environment variable; without a value it is taken from yours',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'KEY[=VALUE]',
  }),
};

export const attachFlags = {
  port: Flags.string({
    char: 'p',
    summary: 'Forward a port: [LOCAL:]REMOTE, LOCAL may be *',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'MAPPING',
  }),
  host: Flags.string({ summary: 'Address to bind forwarded ports to', helpValue: 'HOST' }),
  'ssh-identity': Flags.string({ summary: 'Your private SSH key for the run', helpValue: 'FILE' }),
};

export interface RunFlagValues {
  readonly name?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly cpu?: string | undefined;
  readonly gpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly disk?: string | undefined;
  readonly 'max-price'?: string | undefined;
  readonly 'max-duration'?: string | undefined;
  readonly backend?: readonly string[] | undefined;
  readonly region?: readonly string[] | undefined;
  readonly 'instance-type'?: readonly string[] | undefined;
  readonly fleet?: readonly string[] | undefined;
  readonly reuse?: boolean;
  readonly 'dont-destroy'?: boolean;
  readonly 'idle-duration'?: string | undefined;
  readonly spot?: boolean;
  readonly 'on-demand'?: boolean;
  readonly 'spot-auto'?: boolean;
  readonly 'spot-policy'?: string | undefined;
  readonly retry?: boolean;
  readonly 'no-retry'?: boolean;
  readonly 'retry-duration'?: string | undefined;
  readonly port?: readonly string[] | undefined;
}
