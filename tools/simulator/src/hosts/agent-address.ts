import type { AgentAddress } from '@dstack/backend-base';

/** Of a machine or host; nothing is dialled. */
export type AddressOf = (host: string) => AgentAddress;

/** As if all of it ran on the machine of the servers: no gateway comes there. */
export const nearAddress: AddressOf = (host) => ({ via: 'unix', socketPath: host });

export const farAddress: AddressOf = (host) => ({ via: 'ssh', host, port: 22, user: 'root', hostKey: null, socketPath: host, jump: null }); // prettier-ignore
