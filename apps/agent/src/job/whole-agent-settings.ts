/** How the job side is reached where there is no host agent; read from its environment, as a start command shows to everybody. */
export interface WholeAgentSettings {
  readonly host: string;
  readonly port: number;
  /** OpenSSH lines of the keys of servers: they reach the agent protocol. */
  readonly agentKeys: readonly string[];
  /** PEM of the host key the server expects; without it one is made and kept. */
  readonly hostKey: string | undefined;
}

/**
 * `DSTACK_AGENT_SSH_LISTEN` (`host:port`), `DSTACK_AGENT_AUTHORIZED_KEYS` (one a line), `DSTACK_AGENT_HOST_KEY` (PEM, or its base64).
 * @throws {RangeError}
 */
export function readWholeAgentSettings(env: NodeJS.ProcessEnv): WholeAgentSettings {
  const agentKeys = (env['DSTACK_AGENT_AUTHORIZED_KEYS'] ?? '').split('\n').filter((line) => line.trim() !== '');
  const listen = readListen(env);
  if (agentKeys.length === 0) throw new RangeError('DSTACK_AGENT_AUTHORIZED_KEYS must hold the key of the server');
  return { ...listen, agentKeys, hostKey: readHostKey(env) };
}

export interface JumpSettings {
  readonly listen: { readonly host: string; readonly port: number };
  readonly targetPort: number;
  readonly hostKey: string | undefined;
}

/** `DSTACK_AGENT_FORWARD_ONLY_TO`, a port: this agent has no job, and leads to others. Undefined without it. @throws {RangeError} */
export function readJumpSettings(env: NodeJS.ProcessEnv): JumpSettings | undefined {
  const port = env['DSTACK_AGENT_FORWARD_ONLY_TO'];
  if (port === undefined || port === '') return undefined;
  if (!/^\d{1,5}$/.test(port)) throw new RangeError(`DSTACK_AGENT_FORWARD_ONLY_TO must be a port, not "${port}"`);
  return { listen: readListen(env), targetPort: Number(port), hostKey: readHostKey(env) };
}

function readListen(env: NodeJS.ProcessEnv): { readonly host: string; readonly port: number } {
  const listen = env['DSTACK_AGENT_SSH_LISTEN'] ?? '';
  const match = /^(.*):(\d{1,5})$/.exec(listen);
  if (match?.[1] === undefined) throw new RangeError(`DSTACK_AGENT_SSH_LISTEN must be host:port, not "${listen}"`);
  return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port: Number(match[2]) };
}

function readHostKey(env: NodeJS.ProcessEnv): string | undefined {
  const key = env['DSTACK_AGENT_HOST_KEY'];
  return key === undefined || key.includes('-----BEGIN') ? key : Buffer.from(key, 'base64').toString('utf8');
}
