import { type LetGo, letGoOf } from '../let-go-script.js';
import type { GatewayPaths } from './gateway-paths.js';
import { uninstallGatewayFunction } from './gateway-scripts.js';

/** Of the replica that a gateway is on the host for. */
export function gatewayLetGo(paths: GatewayPaths, replica: string): LetGo {
  return letGoOf({
    id: replica,
    directory: paths.letGo,
    tenant: paths.replica,
    uninstallFunction: uninstallGatewayFunction(paths),
  });
}
