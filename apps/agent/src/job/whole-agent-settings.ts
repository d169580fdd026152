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
  const listen = env['DSTACK_AGENT_SSH_LISTEN'] ?? '';
  const match = /^(.*):(\d{1,5})$/.exec(listen);
  if (match?.[1] === undefined) throw new RangeError(`DSTACK_AGENT_SSH_LISTEN must be host:port, not "${listen}"`);
  const agentKeys = (env['DSTACK_AGENT_AUTHORIZED_KEYS'] ?? '').split('\n').filter((line) => line.trim() !== '');
  if (agentKeys.length === 0) throw new RangeError('DSTACK_AGENT_AUTHORIZED_KEYS must hold the key of the server');
  const key = env['DSTACK_AGENT_HOST_KEY'];
  const hostKey = key === undefined || key.includes('-----BEGIN') ? key : Buffer.from(key, 'base64').toString('utf8');
  return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port: Number(match[2]), agentKeys, hostKey };
}
