import type * as Wire from '../wire/generated/api.js';
import { type Ide, IDE_NAMES, ideLink } from './ide-link.js';

/** For a network that answers it is enough; one that hangs holds nobody up for longer. */
const DOWNLOAD_WAIT_SECONDS = 10;

/** What a dev environment does: prepare for the IDE, run the user's `init`, tell how to connect, stay. */
export function devEnvironmentCommands(
  configuration: Wire.DevEnvironmentConfiguration,
  runName: string,
  downloadWaitSeconds = DOWNLOAD_WAIT_SECONDS,
): string[] {
  const { ide, version } = configuration;
  const server = ide && version ? ideServerScript(ide, version) : null;
  const name = ide ? IDE_NAMES[ide] : '';
  return [
    inBackground([NOTEBOOK_KERNEL, server ?? ':'].join('\n'), {
      waitSeconds: downloadWaitSeconds,
      failed:
        server === null ? null : `Could not pre-install the ${name} server; it will be installed when you connect`,
      late: server === null ? null : `The ${name} server is still being downloaded; you can connect all the same`,
    }),
    ...(configuration.setup ?? []),
    "echo ''",
    ...(configuration.init ?? []),
    ...connectionHints(ide ?? null, runName),
    'tail -f /dev/null',
  ];
}

// Only into our own environment: never into the Python of somebody's image or host.
const NOTEBOOK_KERNEL = '[ -z "${DSTACK_VENV_DIR:-}" ] || uv pip install -q ipykernel || true';

interface BackgroundOptions {
  readonly waitSeconds: number;
  readonly failed: string | null;
  readonly late: string | null;
}

/**
 * Runs a script that the environment can do without, and waits for it a little: the IDE can install its server itself on the first
 * connection. In a shell of its own, as an interactive one would tell of a job in its background.
 */
function inBackground(script: string, { waitSeconds, failed, late }: BackgroundOptions): string {
  const say = (text: string | null): string => (text === null ? ':' : `echo "${text}"`);
  return [
    'mark="${TMPDIR:-/tmp}/dstack-prepared.$$"',
    '(',
    '{ (',
    script,
    ') && : > "$mark.well" || : > "$mark.ill"; } </dev/null >/dev/null 2>&1 &',
    ')',
    'n=0',
    `while [ ! -e "$mark.well" ] && [ ! -e "$mark.ill" ] && [ "$n" -lt ${waitSeconds} ]; do`,
    '  sleep 1 2>/dev/null',
    '  n=$((n + 1))',
    'done',
    `if [ -e "$mark.well" ]; then :; elif [ -e "$mark.ill" ]; then ${say(failed)}; else ${say(late)}; fi`,
  ].join('\n');
}

function ideServerScript(ide: Ide, version: string): string {
  const server = ideServer(ide, version);
  if (server === null) return ':';
  const extensions = ['ms-python.python', 'ms-toolsai.jupyter']
    .map((extension) => `--install-extension ${extension}`)
    .join(' ');
  return [
    'case "$(uname -m)" in aarch64 | arm64) arch=arm64 ;; *) arch=x64 ;; esac',
    `dir=${server.directory}`,
    `url="${server.url}"`,
    '[ -e "$dir" ] || {',
    '  mkdir -p "$dir.part" &&',
    '  { if command -v wget >/dev/null; then wget -q -T 30 -O - "$url"; else curl -fsSL --connect-timeout 30 "$url"; fi; } |',
    '    tar -xz --no-same-owner --strip-components=1 -C "$dir.part" &&',
    '  { [ -e "$dir" ] || mv "$dir.part" "$dir"; } &&',
    `  { "$dir/bin/${server.binary}" ${extensions} || true; }`,
    '} || exit 1',
  ].join('\n');
}

function ideServer(ide: Ide, version: string): { directory: string; url: string; binary: string } | null {
  switch (ide) {
    case 'vscode':
      return {
        directory: `"$HOME/.vscode-server/bin/${version}"`,
        url: `https://update.code.visualstudio.com/commit:${version}/server-linux-$arch/stable`,
        binary: 'code-server',
      };
    case 'cursor':
      return {
        directory: `"$HOME/.cursor-server/cli/servers/Stable-${version}/server"`,
        url: `https://cursor.blob.core.windows.net/remote-releases/${version}/vscode-reh-linux-$arch.tar.gz`,
        binary: 'cursor-server',
      };
    case 'windsurf': {
      const [release = '', commit = ''] = version.split('@');
      return {
        directory: `"$HOME/.windsurf-server/bin/${commit}"`,
        url: `https://windsurf-stable.codeiumdata.com/linux-reh-$arch/stable/${commit}/windsurf-reh-linux-$arch-${release}.tar.gz`,
        binary: 'windsurf-server',
      };
    }
    case 'zed':
      return null;
  }
}

function connectionHints(ide: Ide | null, runName: string): string[] {
  const link =
    ide === null
      ? []
      : [
          `echo "To open in ${IDE_NAMES[ide]}, use this link:"`,
          "echo ''",
          `echo "  ${ideLink(ide, runName, '$DSTACK_WORKING_DIR')}"`,
          "echo ''",
        ];
  return [
    ...link,
    `echo 'To connect via SSH, use: \`ssh ${runName}\`'`,
    "echo ''",
    "printf 'To exit, press Ctrl+C.\\n'",
  ];
}
