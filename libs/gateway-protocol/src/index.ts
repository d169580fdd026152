export { accessSchema, type GatewayAccess, type TokenAccess } from './access.js';
export {
  type AcmeSettings,
  certificatesSchema,
  type ChallengeAnswer,
  challengesSchema,
  type GatewayCertificate,
} from './certificates.js';
export { type AccessDecision, decideAccess, opensProject } from './decide-access.js';
export { type GatewayState, type GatewayStateInput, parseGatewayState, parseWith } from './desired-state.js';
export {
  type GatewayApi,
  type GatewayErrorBody,
  GatewayRequestError,
  GatewayUnreachableError,
  StaleRevisionError,
  type Wait,
} from './gateway-api.js';
export { createGatewayClient, type GatewayClientOptions } from './gateway-client.js';
export type { GatewayStats, ServiceStats, StatsSecond } from './gateway-stats.js';
export type {
  CertificateStatus,
  GatewayProblem,
  GatewayStatus,
  HostStatus,
  ReplicaStatus,
  ServiceStatus,
} from './gateway-status.js';
export { LED_CONNECTIONS_PATH, type LedConnection, useLedConnection } from './led-connection.js';
export type { GatewayModel, ModelHost } from './models.js';
export type { GatewayReplica, SshHop } from './replica.js';
export type { GatewayRateLimit, GatewayService, HttpsMode } from './service.js';
export { GATEWAY_PROTOCOL, type GatewayInfo, LED_REPLICAS_SINCE } from './version.js';
