import type * as Wire from '../wire/generated/api.js';
import { type Ide, IDE_NAMES, ideLink } from './ide-link.js';

/** What a dev environment does: prepare for the IDE, run the user's `init`, tell how to connect, stay. */
export function devEnvironmentCommands(configuration: Wire.DevEnvironmentConfiguration, runName: string): string[] {
  const { ide, version } = configuration;
  return [
    ...(ide && version
      ? [bestEffort(ideServerScript(ide, version), `Could not pre-install the ${IDE_NAMES[ide]} server`)]
      : []),
    bestEffort(NOTEBOOK_KERNEL, null),
    ...(configuration.setup ?? []),
    "echo ''",
    ...(configuration.init ?? []),
    ...connectionHints(ide ?? null, runName),
    'tail -f /dev/null',
  ];
}

// Only into our own environment: never into the Python of somebody's image or host.
const NOTEBOOK_KERNEL = '[ -z "${DSTACK_VENV_DIR:-}" ] || uv pip install -q ipykernel >/dev/null 2>&1';

// Without it the IDE installs its server on first connection; a download that fails must not fail the environment.
function bestEffort(script: string, message: string | null): string {
  return `(\n${script}\n) || ${message === null ? 'true' : `echo "${message}; it will be installed when you connect"`}`;
}

function ideServerScript(ide: Ide, version: string): string {
  const server = ideServer(ide, version);
  if (server === null) return 'true';
  const extensions = ['ms-python.python', 'ms-toolsai.jupyter']
    .map((extension) => `--install-extension ${extension}`)
    .join(' ');
  return [
    'case "$(uname -m)" in aarch64 | arm64) arch=arm64 ;; *) arch=x64 ;; esac',
    `dir=${server.directory}`,
    `url="${server.url}"`,
    '[ -e "$dir" ] || {',
    '  mkdir -p "$dir.part" &&',
    '  { if command -v wget >/dev/null; then wget -q -O - "$url"; else curl -fsSL "$url"; fi; } |',
    '    tar -xz --no-same-owner --strip-components=1 -C "$dir.part" &&',
    '  mv "$dir.part" "$dir" &&',
    `  { "$dir/bin/${server.binary}" ${extensions} >/dev/null 2>&1 || true; }`,
    '}',
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
