export interface CompletedCommand {
  readonly id: string;
  readonly flags: readonly string[];
  readonly summary: string;
}

/** Which names follow a command. */
const NAMES: readonly (readonly [pattern: string, kind: string])[] = [
  ['attach|logs|metrics|stop|run get', 'run'],
  ['fleet get|fleet delete', 'fleet'],
  ['volume get|volume delete', 'volume'],
  ['gateway get|gateway delete|gateway update', 'gateway'],
  ['secret get|secret set|secret delete', 'secret'],
  ['export update|export delete', 'export'],
  ['import delete', 'import'],
  ['project set-default', 'project'],
];

/** A bash script; names come from the server when asked for. Pure. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `_dstack() {
  local cur prev words="" command="" i
  COMPREPLY=()
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) [ "$(wc -w <<<"$command")" -lt 2 ] && command="$command \${COMP_WORDS[i]}" ;; esac
  done
  command="\${command# }"
  case "$prev" in
    --project) COMPREPLY=($(compgen -W "$(dstack completion --names project 2>/dev/null)" -- "$cur")); return ;;
    -f|--file|--ssh-identity|--git-identity) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  ${flagCases(commands)}
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$cur")); return ;;
  esac
  case "$command" in
    "") COMPREPLY=($(compgen -W "${firstWords(commands).join(' ')}" -- "$cur")); return ;;
${secondWords(commands)}
  esac
  case "$command" in
${NAMES.map(([pattern, kind]) => `    ${quoted(pattern)}) COMPREPLY=($(compgen -W "$(dstack completion --names ${kind} 2>/dev/null)" -- "$cur")) ;;`).join('\n')}
    completion) COMPREPLY=($(compgen -W "bash zsh" -- "$cur")) ;;
  esac
}
complete -F _dstack dstack`;
}

/** zsh understands the bash script through its own emulation. Pure. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef dstack
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(commands)}`;
}

function flagCases(commands: readonly CompletedCommand[]): string {
  const cases = [...commands]
    .sort((a, b) => b.id.split(' ').length - a.id.split(' ').length)
    .map(({ id, flags }) => `    "${id}"${id.includes(' ') ? '' : `|"${id} "*`}) words="${flags.join(' ')}" ;;`);
  return `case "$command" in\n${cases.join('\n')}\n  esac`;
}

function firstWords(commands: readonly CompletedCommand[]): string[] {
  return [...new Set(commands.map(({ id }) => id.split(' ')[0] ?? ''))].sort();
}

function secondWords(commands: readonly CompletedCommand[]): string {
  const groups = new Map<string, string[]>();
  for (const { id } of commands) {
    const [first = '', second] = id.split(' ');
    if (second !== undefined) groups.set(first, [...(groups.get(first) ?? []), second]);
  }
  return [...groups]
    .map(([first, words]) => `    ${first}) COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$cur")); return ;;`)
    .join('\n');
}

function quoted(pattern: string): string {
  return pattern
    .split('|')
    .map((each) => (each.includes(' ') ? `"${each}"` : `${each}|"${each} "*`))
    .join('|');
}
