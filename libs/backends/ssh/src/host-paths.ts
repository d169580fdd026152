/** Of all installations' agents, by digest. */
export const AGENTS_DIR = '/usr/local/lib/dstack/agent';
/** One directory for each installation that has an agent on the host. */
export const STATES_DIR = '/var/lib/dstack';

/** Where things of one installation are on a host. All are of letters that need no quoting in a shell. */
export interface HostPaths {
  readonly state: string;
  readonly socket: string;
  /** Link to the agent's folder in use. */
  readonly current: string;
  readonly env: string;
  readonly loop: string;
  readonly loopPid: string;
  /** How often the agent has failed under the loop. */
  readonly loopFailures: string;
  /** Script for a person whose server is no more. */
  readonly uninstaller: string;
  readonly unit: string;
  readonly unitFile: string;
  /** Ends the comment of each key of this installation in an authorized_keys file. */
  readonly keyMark: string;
}

export function hostPaths(owner: string): HostPaths {
  const short = /^[A-Za-z0-9]{8}/.exec(owner)?.[0];
  if (short === undefined)
    throw new RangeError(`an installation's id begins with eight letters or digits, '${owner}' does not`);
  const state = `${STATES_DIR}/${short}`;
  const unit = `dstack-agent-${short}.service`;
  return {
    state,
    socket: `${state}/agent.sock`,
    current: `${state}/current`,
    env: `${state}/agent.env`,
    loop: `${state}/supervise`,
    loopPid: `${state}/supervise.pid`,
    loopFailures: `${state}/supervise.failures`,
    uninstaller: `${state}/uninstall`,
    unit,
    unitFile: `/etc/systemd/system/${unit}`,
    keyMark: `dstack-${short}`,
  };
}

/** Names the agent's folder: enough of the digest to be alone, short enough to read. */
export function folderName(digest: string): string {
  return digest.slice(0, 16);
}
