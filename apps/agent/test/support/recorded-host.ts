import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HostProbe, ToolFailedError } from '../../src/gpu/host-probe.js';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', 'recorded');

interface Recording {
  readonly stdout: string;
  readonly exitCode: number;
}

export interface RecordedHost extends HostProbe {
  /** Commands of the file that nobody has run. */
  unasked(): readonly string[];
}

/** A host whose tools say what a file of `test/recorded` says, when they are called with just these arguments. */
export function recordedHost(
  file: string,
  paths: readonly string[],
  links: Readonly<Record<string, string>> = {},
): RecordedHost {
  const recordings = readRecordings(file);
  const asked = new Set<string>();
  return {
    exists: (path) => paths.includes(path),
    readText: () => undefined,
    realPath: (path) => links[path],
    run: async (tool, args) => {
      const command = [tool, ...args].join(' ');
      asked.add(command);
      const recording = recordings.get(command);
      if (recording === undefined) throw new ToolFailedError(`spawn ${tool} ENOENT`, '');
      const { stdout, exitCode } = recording;
      if (exitCode !== 0) throw new ToolFailedError(stdout.trim(), stdout);
      return stdout;
    },
    unasked: () => [...recordings.keys()].filter((command) => !asked.has(command)),
  };
}

/** `$ command`, then `exit N` unless it is 0, then what the command printed. */
function readRecordings(file: string): ReadonlyMap<string, Recording> {
  const sections = readFileSync(join(FOLDER, `${file}.txt`), 'utf8')
    .split(/^\$ /m)
    .slice(1);
  return new Map(
    sections.map((section) => {
      const [, command = '', code = '0', stdout = ''] = /^(.*)\n(?:exit (\d+)\n)?([^]*)$/.exec(section) ?? [];
      return [command, { stdout, exitCode: Number(code) }];
    }),
  );
}
