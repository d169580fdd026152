import { hostPaths } from '../host-paths.js';

/** Of all installations' gateways, by digest. */
export const GATEWAYS_DIR = '/usr/local/lib/dstack/gateway';
/** One directory for each installation that has a gateway on the host. */
export const GATEWAY_STATES_DIR = '/var/lib/dstack-gateway';

/** Where the gateway of one installation is on a host. All are of letters that need no quoting in a shell. */
export interface GatewayPaths {
  readonly state: string;
  readonly socket: string;
  /** Link to the gateway's folder in use. */
  readonly current: string;
  readonly incoming: string;
  readonly loop: string;
  readonly loopPid: string;
  readonly log: string;
  /** Names the replica of a gateway that it was installed for. */
  readonly replica: string;
  readonly letGo: string;
  readonly unit: string;
  readonly unitFile: string;
}

export function gatewayPaths(owner: string): GatewayPaths {
  const { keyMark } = hostPaths(owner);
  const short = keyMark.slice('dstack-'.length);
  const state = `${GATEWAY_STATES_DIR}/${short}`;
  const unit = `dstack-gateway-${short}.service`;
  return {
    state,
    socket: `${state}/gateway.sock`,
    current: `${state}/current`,
    incoming: `${GATEWAYS_DIR}/.incoming-${short}`,
    loop: `${state}/supervise`,
    loopPid: `${state}/supervise.pid`,
    log: `${state}/gateway.log`,
    replica: `${state}/replica`,
    letGo: `/run/${keyMark}-gateway-let-go`,
    unit,
    unitFile: `/etc/systemd/system/${unit}`,
  };
}
