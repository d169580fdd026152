import { runProgram } from './run-program.js';

/** In every hierarchy; the processes in them have ended. */
export async function removeCgroups(path: string): Promise<void> {
  await runProgram([
    'sh',
    '-c',
    'find /sys/fs/cgroup/*"$1" /sys/fs/cgroup"$1" -depth -type d -exec rmdir {} ";" 2>/dev/null || :',
    'sh',
    path,
  ]);
}
