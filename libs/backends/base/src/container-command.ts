/** Where the agent of a container listens for SSH: the one port a container backend opens. */
export const CONTAINER_SSH_PORT = 10_022;

const JOB_DIRECTORY = '/run/dstack/job';
/** Of the agent protocol, inside the container. */
export const CONTAINER_AGENT_SOCKET = `${JOB_DIRECTORY}/job.sock`;

/** The agent's folder as one gzip-compressed tar. */
export interface AgentArchive {
  readonly url: string;
  /** Hex, of the archive. */
  readonly sha256: string;
}

/** What ends a container whose agent could not be started; the number is its exit code. */
export const CONTAINER_EXIT = { notWritable: 10, noDownloader: 11, noDownload: 12, wrongChecksum: 13, noUnpacker: 14 };

/** Variables of the image that change how programs start. They are kept from the agent and what fetches it, and given to the job. */
const SHIELDED = ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'NODE_OPTIONS'];

/**
 * The start command of a container: it fetches the agent, checks it and runs it. POSIX sh, so that it works in any image with a shell; it
 * holds nothing secret, as providers show it to whoever may see the container.
 * @param authorizedKeys OpenSSH lines that reach the agent. Comments are left out: they are no business of the provider
 * @throws {RangeError} for a key or an archive that cannot be one
 */
export function containerCommand(archive: AgentArchive, authorizedKeys: readonly string[]): string[] {
  return ['/bin/sh', '-c', [...fetchAgent(archive), ...runAgent(authorizedKeys)].join('\n')];
}

/**
 * The same where the agent's folder is in the container already, put there by whoever starts it.
 * @param folder as the container sees it
 */
export function containerCommandWithAgent(folder: string, authorizedKeys: readonly string[]): string[] {
  return ['/bin/sh', '-c', [`d=${quote(folder)}`, ...SHIELD, ...runAgent(authorizedKeys)].join('\n')];
}

const SHIELD = SHIELDED.map(
  (name) => `[ -z "\${${name}-}" ] || export DSTACK_AGENT_IMAGE_${name}="$${name}"; unset ${name}`,
);

/** The directory is named by the checksum: a container that was restarted has it already. */
function fetchAgent({ url, sha256 }: AgentArchive): string[] {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError(`not a SHA-256: ${sha256}`);
  if (!/^https?:$/.test(new URL(url).protocol)) throw new RangeError(`the agent cannot be fetched from ${url}`);
  return [
    'f() { echo "dstack: $2" >&2; exit "$1"; }',
    ...SHIELD,
    `u=${quote(url)} s=${sha256} d=/opt/dstack-agent/${sha256.slice(0, 16)}`,
    'h() { command -v "$1" >/dev/null 2>&1; }',
    'if [ ! -d "$d" ]; then',
    `mkdir -p "$d.new" || f ${CONTAINER_EXIT.notWritable} "cannot write to /opt: the container must run as root"`,
    'h curl || h wget || h python3 || { if h apt-get; then apt-get update && apt-get install -y curl ca-certificates',
    'elif h apk; then apk add curl; elif h dnf; then dnf install -y curl; elif h yum; then yum install -y curl; fi; } >&2',
    'if h curl; then curl -fsSL --connect-timeout 60 --max-time 600 --retry 2 -o "$d.tgz" "$u"',
    // Without a time limit: a static busybox may crash with one.
    'elif h wget; then wget -q -O "$d.tgz" "$u"',
    `elif h python3; then python3 -c 'import sys,urllib.request as r;r.urlretrieve(sys.argv[1],sys.argv[2])' "$u" "$d.tgz"`,
    `else f ${CONTAINER_EXIT.noDownloader} "the image has neither curl, wget nor python3 to fetch the agent with, and none could be installed: add one"`,
    `fi || f ${CONTAINER_EXIT.noDownload} "the agent could not be fetched from $u"`,
    `h sha256sum || f ${CONTAINER_EXIT.wrongChecksum} "the image has no sha256sum to check the agent with"`,
    'set -- $(sha256sum "$d.tgz")',
    `[ "$1" = "$s" ] || f ${CONTAINER_EXIT.wrongChecksum} "$u has the SHA-256 $1, not $s: it is not the agent of this server"`,
    `h tar && h gzip || f ${CONTAINER_EXIT.noUnpacker} "the image has no tar and gzip to unpack the agent with"`,
    `gzip -dc "$d.tgz" | tar -xf - -C "$d.new" && mv "$d.new" "$d" || f ${CONTAINER_EXIT.noUnpacker} "the agent could not be unpacked"`,
    'rm -f "$d.tgz"',
    'fi',
  ];
}

/** The shell stays, as the first process of the container: orphans of the job are its children, and it takes their exit codes. */
function runAgent(authorizedKeys: readonly string[]): string[] {
  return [
    `export DSTACK_AGENT_SSH_LISTEN=0.0.0.0:${CONTAINER_SSH_PORT} DSTACK_AGENT_AUTHORIZED_KEYS=${quote(authorizedKeys.map(bareKey).join('\n'))}`,
    'for l in "$d"/lib/ld-linux*.so.*; do :; done',
    `"$l" --library-path "$d/lib" "$d/node" "$d/agent.cjs" container --dir ${JOB_DIRECTORY} &`,
    'p=$!',
    "trap 'kill -TERM $p' TERM INT",
    'while :; do wait $p; c=$?; kill -0 $p 2>/dev/null || exit $c; done',
  ];
}

/** Type and key without options and comment. */
function bareKey(line: string): string {
  const key = /^((?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+ [A-Za-z0-9+/]+={0,3})(?:\s|$)/.exec(line.trim());
  if (key?.[1] === undefined) throw new RangeError('not a public key of OpenSSH');
  return key[1];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
