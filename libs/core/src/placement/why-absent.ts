import type { InternalInstanceStatus } from '../wire/internal-values.js';

export interface AbsentFacts {
  readonly status: InternalInstanceStatus;
  readonly isHost: boolean;
  /** It has to go as soon as its jobs have ended. */
  readonly isUnwanted: boolean;
  /** What is wrong with a host that is being prepared. */
  readonly problem: string | null;
  /** Why it ended. */
  readonly endMessage: string | null;
}

/** Why an instance can be given no job, for people; null when it can. The same words as long as nothing changes. */
export function whyAbsent({ status, isHost, isUnwanted, problem, endMessage }: AbsentFacts): string | null {
  switch (status) {
    case 'terminated':
      return `cannot be used: ${endMessage ?? 'it has ended'}`;
    case 'terminating':
      return isHost ? 'being removed' : 'being terminated';
    case 'pending':
    case 'launching':
    case 'provisioning':
      if (isUnwanted) return 'being removed';
      if (!isHost) return 'still starting';
      return problem === null ? 'still being prepared' : `not ready: ${problem}`;
    case 'idle':
    case 'busy':
      return isUnwanted ? 'being removed' : null;
  }
}
