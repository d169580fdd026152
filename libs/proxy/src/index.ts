export type { Exchange, Outcome } from './exchange.js';
export { forwardRequest } from './forward-request.js';
export { forwardUpgrade, type UpgradeExchange, type UpgradeOutcome } from './forward-upgrade.js';
export { type Forwarded, requestHeaders } from './headers/request-headers.js';
export type { ReplicaLimits, ReplicaTarget } from './replica.js';
export { ReplicaSet, type ReplicaSetOptions } from './replica-set.js';
export { TrafficMeter } from './traffic/traffic-meter.js';
export { NotReadyError, WaitingRoom, type WaitingRoomOptions } from './waiting-room.js';
