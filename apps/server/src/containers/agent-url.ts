/** Of the releases of this project. */
export const RELEASED_AGENT_URL =
  'https://github.com/dstackai/dstack/releases/download/{version}/dstack-agent-{version}-linux-{arch}.tar.gz';

/** As release files name them. */
const ARCH_NAMES = { x86: 'amd64', arm: 'arm64' } as const;

export interface AgentIdentity {
  readonly version: string;
  readonly arch: 'x86' | 'arm';
  readonly sha256: string;
}

/** @param template a URL with `{version}`, `{arch}` (`amd64`, `arm64`) and `{sha256}`, each as often as one likes */
export function agentUrl(template: string, { version, arch, sha256 }: AgentIdentity): string {
  return template
    .replaceAll('{version}', version)
    .replaceAll('{arch}', ARCH_NAMES[arch])
    .replaceAll('{sha256}', sha256);
}
