import type { SshHostEntry } from './host-entries.js';

/** Ours only: the 0.21 client keeps its hosts in the same file. */
const HOLDERS = /^ {4}# attached: ([\d ]+)$/m;

/**
 * A configuration in which a command (by its process id) holds some hosts, in the place of older ones of the same names. Several
 * commands may be attached to one run; the last to leave takes its hosts along. Pure.
 */
export function withHosts(config: string, entries: readonly SshHostEntry[], identityFile: string, pid: number): string {
  const aliases = new Set(entries.map((entry) => entry.alias));
  const blocks = blocksOf(config);
  const others = blocks.filter((block) => !aliases.has(aliasOf(block))).join('');
  const holders = (alias: string): number[] => {
    const before = blocks.find((block) => aliasOf(block) === alias);
    return [...new Set([...(before === undefined ? [] : (holdersOf(before) ?? [])), pid])];
  };
  const ours = entries.map((entry) => renderEntry(entry, identityFile, holders(entry.alias))).join('\n');
  return `${others}${others === '' || others.endsWith('\n') ? '' : '\n'}${ours}`;
}

/** Without the hosts nobody holds any more, once `gone` tells who has left. Hosts without a holder's name stay. Pure. */
export function withoutHolders(config: string, gone: (pid: number) => boolean): string {
  return blocksOf(config)
    .flatMap((block) => {
      const holders = holdersOf(block);
      if (holders === undefined) return [block];
      const left = holders.filter((pid) => !gone(pid));
      return left.length === 0 ? [] : [block.replace(HOLDERS, holdersLine(left))];
    })
    .join('');
}

function renderEntry(entry: SshHostEntry, identityFile: string, holders: readonly number[]): string {
  return [
    `Host ${entry.alias}`,
    holdersLine(holders),
    `    HostName ${entry.hostName}`,
    `    Port ${entry.port}`,
    `    User ${entry.user}`,
    `    IdentityFile "${identityFile}"`,
    '    IdentitiesOnly yes',
    '    StrictHostKeyChecking no',
    '    UserKnownHostsFile /dev/null',
    '    LogLevel ERROR',
    ...(entry.proxyJump === undefined ? [] : [`    ProxyJump ${entry.proxyJump}`]),
    '',
  ].join('\n');
}

function blocksOf(config: string): string[] {
  return config.split(/^(?=Host )/m);
}

function aliasOf(block: string): string {
  return /^Host (\S+)/.exec(block)?.[1] ?? '';
}

function holdersOf(block: string): number[] | undefined {
  return HOLDERS.exec(block)?.[1]?.trim().split(/ +/).map(Number);
}

function holdersLine(pids: readonly number[]): string {
  return `    # attached: ${pids.join(' ')}`;
}
