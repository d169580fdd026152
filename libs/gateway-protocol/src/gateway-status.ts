import type { ChallengeAnswer } from './certificates.js';

/** `dns`: the name leads elsewhere or nowhere; `acme`: no certificate was given; `tunnel`: the way to a replica; `nginx`: the data plane. */
export interface GatewayProblem {
  readonly kind: 'dns' | 'acme' | 'tunnel' | 'nginx';
  /** A sentence for a person: what, where, what to do. */
  readonly text: string;
}

export interface CertificateStatus {
  /** Unix ms; null: there is none yet. */
  readonly expiresAt: number | null;
  /** Of the last try to get (or renew) it. */
  readonly problem: GatewayProblem | null;
}

export interface ReplicaStatus {
  readonly id: string;
  /** The SSH connection stands: it gets requests. */
  readonly isReady: boolean;
  readonly problem: GatewayProblem | null;
}

export interface HostStatus {
  readonly host: string;
  /** Requests for it arrive (with `certificate`, only once there is one). */
  readonly isServed: boolean;
  readonly problem: GatewayProblem | null;
  /** Null: it needs none here. */
  readonly certificate: CertificateStatus | null;
}

export interface ServiceStatus extends HostStatus {
  readonly id: string;
  readonly replicas: readonly ReplicaStatus[];
}

/** What has become of the state: `GET /v1/status`. */
export interface GatewayStatus {
  /** Of the state it holds; -1: none yet. */
  readonly revision: number;
  readonly accessRevision: number;
  /** Grows whenever something below changes; starts anew with the program. */
  readonly change: number;
  /** Unix ms; when the server was last heard of, and until when its word holds. */
  readonly heardAt: number;
  readonly heldUntil: number;
  /** Null: it runs, with what it was given. */
  readonly nginxProblem: GatewayProblem | null;
  readonly services: readonly ServiceStatus[];
  readonly modelHosts: readonly HostStatus[];
  /** To be put to all other replicas, and then to this one. */
  readonly challenges: readonly ChallengeAnswer[];
}
