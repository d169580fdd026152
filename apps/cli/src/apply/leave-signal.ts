export interface LeaveSignal {
  readonly signal: AbortSignal;
  /** The terminal is gone or somebody ended us: there is nobody to ask. */
  readonly isForced: () => boolean;
  release(): void;
}

/** Aborts when the user wants to leave, so that what was opened is closed first. */
export function leaveSignal(): LeaveSignal {
  const leave = new AbortController();
  let forced = false;
  const onInterrupt = () => leave.abort();
  const onEnd = () => {
    forced = true;
    leave.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onEnd);
  process.on('SIGHUP', onEnd);
  return {
    signal: leave.signal,
    isForced: () => forced,
    release: () => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onEnd);
      process.off('SIGHUP', onEnd);
    },
  };
}
