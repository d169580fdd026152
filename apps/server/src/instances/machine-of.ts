import type { MachineState } from '@dstack/backend-base';
import type { MachineRecord } from './instance-record.js';
import type { InstanceView } from './instance-snapshots.js';

/** What the backend says of a machine, as it is kept. */
export function machineOf(state: Exclude<MachineState, { state: 'gone' }>): MachineRecord {
  const isReady = state.state === 'ready';
  return {
    ref: state.ref,
    state: state.state,
    message: state.state === 'failed' ? state.message : state.state === 'pending' ? (state.reason ?? null) : null,
    agent: isReady && state.agent.via !== 'login' ? state.agent : null,
    ...(isReady && state.agent.via === 'login' ? { login: state.agent } : {}),
    hostname: isReady ? state.hostname : null,
    internalIp: isReady ? state.internalIp : null,
    terminateFailures: 0,
    nextTerminateAt: null,
  };
}

/** The agent on a machine that was made without one stays where it is; the machine's address may have changed. */
export function withNews(known: MachineRecord, news: MachineRecord): MachineRecord {
  const { agent } = known;
  // What others were told stays known when the machine fails.
  const hostname = news.hostname ?? known.hostname;
  const internalIp = news.internalIp ?? known.internalIp;
  const merged = { ...known, ...news, hostname, internalIp };
  if (agent?.via !== 'ssh' || news.agent !== null) return merged;
  const { host, port, user } = news.login ?? agent;
  return { ...merged, agent: { ...agent, host, port, user } };
}

/** Of a machine that nobody has seen, and that may be there nevertheless. */
export function unknownMachine({ record }: InstanceView): MachineRecord {
  const ref = {
    cloudName: record.cloudName ?? record.name,
    machineId: null,
    region: record.region ?? '',
    zone: record.zone,
    backendData: null,
  };
  return {
    ref,
    state: 'unknown',
    message: null,
    agent: null,
    hostname: null,
    internalIp: null,
    terminateFailures: 0,
    nextTerminateAt: null,
  };
}
