export interface ContainerExit {
  readonly exitCode: number;
  readonly wasOutOfMemory: boolean;
  /** The engine's own account of a failed start. */
  readonly error: string;
  readonly lastLines: readonly string[];
}

/** For a job whose agent could not tell its own end. */
export function describeExit(exit: ContainerExit): string {
  const how = exit.wasOutOfMemory
    ? 'the container was killed because it used more memory than it may: raise `resources.memory`'
    : `the container ended with status ${exit.exitCode}${signalHint(exit.exitCode)}`;
  const error = exit.error === '' ? '' : `: ${exit.error}`;
  const lines = exit.lastLines.length === 0 ? '' : `\n${exit.lastLines.join('\n')}`;
  return `${how}${error}${lines}`;
}

function signalHint(exitCode: number): string {
  if (exitCode === 137) return ' (killed: by somebody, by the engine, or for want of memory on the host)';
  if (exitCode === 143) return ' (asked to end: by somebody, or the host shut down)';
  return '';
}
