import type { Command } from '@oclif/core/command';

/** What a command module exports by default. */
export type CommandClass = typeof Command & {
  run(argv: string[], options: { root: string }): Promise<unknown>;
};

export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<{ default: unknown }>;
  readonly hidden?: boolean;
}

/** Every command by its words. Nothing is imported before it is called: start-up costs what one command costs. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  apply: { summary: 'Create or update what a configuration describes', load: () => import('../commands/apply.js') },
  attach: { summary: 'Attach to a run: ports, SSH, logs', load: () => import('../commands/attach.js') },
  completion: { summary: 'Print a shell completion script', load: () => import('../commands/completion.js') },
  config: { summary: 'Show the client configuration in effect', load: () => import('../commands/config.js') },
  delete: { summary: 'Delete what a configuration describes', load: () => import('../commands/delete.js') },
  event: { summary: 'List events', load: () => import('../commands/event/list.js') },
  'event list': { summary: 'List events', load: () => import('../commands/event/list.js'), hidden: true },
  export: { summary: 'List what this project shares', load: () => import('../commands/export/list.js') },
  'export list': { summary: 'List exports', load: () => import('../commands/export/list.js'), hidden: true },
  'export create': { summary: 'Share fleets and gateways', load: () => import('../commands/export/create.js') },
  'export update': { summary: 'Change an export', load: () => import('../commands/export/update.js') },
  'export delete': { summary: 'Stop sharing', load: () => import('../commands/export/delete.js') },
  fleet: { summary: 'List fleets', load: () => import('../commands/fleet/list.js') },
  'fleet list': { summary: 'List fleets', load: () => import('../commands/fleet/list.js'), hidden: true },
  'fleet get': { summary: 'Show a fleet as JSON', load: () => import('../commands/fleet/get.js') },
  'fleet delete': { summary: 'Delete a fleet or its instances', load: () => import('../commands/fleet/delete.js') },
  gateway: { summary: 'List gateways', load: () => import('../commands/gateway/list.js') },
  'gateway list': { summary: 'List gateways', load: () => import('../commands/gateway/list.js'), hidden: true },
  'gateway get': { summary: 'Show a gateway as JSON', load: () => import('../commands/gateway/get.js') },
  'gateway update': { summary: 'Change a gateway', load: () => import('../commands/gateway/update.js') },
  'gateway delete': { summary: 'Delete a gateway', load: () => import('../commands/gateway/delete.js') },
  import: { summary: 'List what other projects share with this one', load: () => import('../commands/import/list.js') },
  'import list': { summary: 'List imports', load: () => import('../commands/import/list.js'), hidden: true },
  'import delete': { summary: 'Give an import up', load: () => import('../commands/import/delete.js') },
  init: { summary: 'Store credentials of a repository on the server', load: () => import('../commands/init.js') },
  login: { summary: 'Sign in to a server', load: () => import('../commands/login.js') },
  logs: { summary: 'Show the logs of a run', load: () => import('../commands/logs.js') },
  metrics: { summary: 'Show how a run uses its machine', load: () => import('../commands/metrics.js') },
  offer: { summary: 'List offers', load: () => import('../commands/offer.js') },
  project: { summary: 'List configured projects', load: () => import('../commands/project/list.js') },
  'project list': {
    summary: 'List configured projects',
    load: () => import('../commands/project/list.js'),
    hidden: true,
  },
  'project add': { summary: 'Add or update a project', load: () => import('../commands/project/add.js') },
  'project set-default': {
    summary: 'Choose the default project',
    load: () => import('../commands/project/set-default.js'),
  },
  'project delete': {
    summary: 'Remove a project from the configuration',
    load: () => import('../commands/project/delete.js'),
  },
  'project token': { summary: 'Print the token in use', load: () => import('../commands/project/token.js') },
  ps: { summary: 'List runs', load: () => import('../commands/ps.js') },
  'run get': { summary: 'Show a run as JSON', load: () => import('../commands/run/get.js') },
  secret: { summary: 'List secrets', load: () => import('../commands/secret/list.js') },
  'secret list': { summary: 'List secrets', load: () => import('../commands/secret/list.js'), hidden: true },
  'secret get': { summary: 'Show a secret', load: () => import('../commands/secret/get.js') },
  'secret set': { summary: 'Create or change a secret', load: () => import('../commands/secret/set.js') },
  'secret delete': { summary: 'Delete a secret', load: () => import('../commands/secret/delete.js') },
  server: { summary: 'Start a server', load: () => import('../commands/server.js') },
  'server backup': {
    summary: 'Copy what a server on SQLite knows into a folder, also while it runs',
    load: () => import('../commands/server/backup.js'),
  },
  'server restore': {
    summary: 'Put a backup in the place of what a stopped server knows',
    load: () => import('../commands/server/restore.js'),
  },
  'server migrate': {
    summary: 'Copy what a stopped server on SQLite knows into an empty Postgres database',
    load: () => import('../commands/server/migrate.js'),
  },
  'server check': {
    summary: 'Look at all that a start of the server needs, and start nothing',
    load: () => import('../commands/server/check.js'),
  },
  'server import': {
    summary: 'Bring users, projects, backends and secrets from a server of dstack 0.21',
    load: () => import('../commands/server/import.js'),
  },
  'server keys': {
    summary: 'The keys that values in the database are encrypted with',
    load: () => import('../commands/server/keys.js'),
  },
  'server support-bundle': {
    summary: 'Write what helps others to understand this server into a file, without secrets',
    load: () => import('../commands/server/support-bundle.js'),
  },
  'service-account': {
    summary: 'List users that are programs',
    load: () => import('../commands/service-account/list.js'),
  },
  'service-account list': {
    summary: 'List users that are programs',
    load: () => import('../commands/service-account/list.js'),
    hidden: true,
  },
  'service-account create': {
    summary: 'Make a user that is a program, with a role in this project',
    load: () => import('../commands/service-account/create.js'),
  },
  'service-account delete': {
    summary: 'Delete a user that is a program, with its tokens',
    load: () => import('../commands/service-account/delete.js'),
  },
  'ssh-key': { summary: 'List your public SSH keys', load: () => import('../commands/ssh-key/list.js') },
  'ssh-key list': {
    summary: 'List your public SSH keys',
    load: () => import('../commands/ssh-key/list.js'),
    hidden: true,
  },
  'ssh-key add': { summary: 'Tell the server a public SSH key', load: () => import('../commands/ssh-key/add.js') },
  'ssh-key delete': { summary: 'Take a public SSH key back', load: () => import('../commands/ssh-key/delete.js') },
  stop: { summary: 'Stop runs', load: () => import('../commands/stop.js') },
  token: { summary: 'List further tokens of a user', load: () => import('../commands/token/list.js') },
  'token list': {
    summary: 'List further tokens of a user',
    load: () => import('../commands/token/list.js'),
    hidden: true,
  },
  'token create': {
    summary: 'Make a further token, which may expire',
    load: () => import('../commands/token/create.js'),
  },
  'token delete': { summary: 'Take tokens back', load: () => import('../commands/token/delete.js') },
  volume: { summary: 'List volumes', load: () => import('../commands/volume/list.js') },
  'volume list': { summary: 'List volumes', load: () => import('../commands/volume/list.js'), hidden: true },
  'volume get': { summary: 'Show a volume as JSON', load: () => import('../commands/volume/get.js') },
  'volume delete': { summary: 'Delete a volume', load: () => import('../commands/volume/delete.js') },
};

/** Commands of 0.21 that are not built: whoever types one learns so instead of searching for a typo. */
export const NOT_BUILT: Readonly<Record<string, string>> = {
  preset: 'Write the service as a configuration and apply it: dstack apply -f FILE',
};

const ALIASES: Readonly<Record<string, string>> = { destroy: 'delete' };

export interface FoundCommand {
  readonly id: string;
  readonly entry: CommandEntry;
  readonly rest: string[];
}

/** The longest command the words begin with. Pure. */
export function findCommand(argv: readonly string[]): FoundCommand | undefined {
  const [first = '', second] = argv;
  const head = ALIASES[first] ?? first;
  const pair = second === undefined ? undefined : `${head} ${second}`;
  for (const [id, words] of [
    [pair, 2],
    [head, 1],
  ] as const) {
    const entry = id === undefined ? undefined : COMMANDS[id];
    if (id !== undefined && entry && Object.hasOwn(COMMANDS, id)) return { id, entry, rest: argv.slice(words) };
  }
  return undefined;
}
