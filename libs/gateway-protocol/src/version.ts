/** Range of protocol versions this build speaks. A server talks to gateways N-2..N: it picks the highest both know. */
export const GATEWAY_PROTOCOL = { min: 1, max: 2 } as const;

/** From this version on a gateway knows replicas to which the server leads. */
export const LED_REPLICAS_SINCE = 2;

/** What a gateway says about itself: `GET /v1/info`. */
export interface GatewayInfo {
  readonly service: 'dstack-gateway';
  readonly version: string;
  readonly protocol: { readonly min: number; readonly max: number };
  /** Stable over restarts and updates (kept in its directory). */
  readonly gatewayId: string;
  /** Unix ms. */
  readonly startedAt: number;
  /** Of the state it holds; -1: none yet. */
  readonly revision: number;
  /** Of the access part; -1: none yet. */
  readonly accessRevision: number;
}
