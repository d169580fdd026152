import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cgroupDirs } from '../../src/cgroup/cgroup.js';
import { enterCgroup } from '../../src/cgroup/enter-cgroup.js';
import { JobCgroups, removeCgroup } from '../../src/cgroup/job-cgroups.js';

const cgroups = await JobCgroups.open('00000000-entry');
const onHosts = cgroups === undefined ? describe.skip : describe;
if (cgroups === undefined) process.stderr.write('skipped: entering control groups: none can be made here\n');

function run([file = '', ...args]: readonly string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

onHosts('a command that enters a control group', () => {
  it('is in it from its first instruction on', async () => {
    const cgroup = await cgroups?.make('entry', { memoryBytes: 64 * 1024 ** 2 });
    if (cgroup === undefined) throw new Error('no control group');
    try {
      const seen = run([...enterCgroup(cgroup, true), 'cat', '/proc/self/cgroup']);
      expect(seen.match(/\/entry$/gm)).toHaveLength(cgroupDirs(cgroup).length);
      for (const dir of cgroupDirs(cgroup)) expect(readFileSync(`${dir}/cgroup.procs`, 'utf8')).toBe('');
    } finally {
      await removeCgroup(cgroup);
    }
  });

  it('does not run outside when it must not, and says which it cannot enter', async () => {
    const gone = await cgroups?.make('gone', {});
    if (gone === undefined) throw new Error('no control group');
    await removeCgroup(gone);
    expect(() => run([...enterCgroup(gone, true), 'echo', 'ran'])).toThrow(/gone\/cgroup\.procs cannot be entered/);
    expect(run([...enterCgroup(gone, false), 'echo', 'ran'])).toBe('ran\n');
  });
});
