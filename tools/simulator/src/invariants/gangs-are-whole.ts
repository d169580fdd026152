import type { Invariant } from './invariant.js';

/** The nodes of a run get their machines all at once or not at all. */
export const gangsAreWhole: Invariant = {
  afterChange({ story, changes, mirror }) {
    const touched = new Set(changes.jobs.map(({ after }) => after.gang));
    if (touched.size === 0) return;
    const gangs = new Map<string, { jobs: number; seated: number; runId: string }>();
    for (const { status, gang, instanceId, runId } of mirror.jobs.values()) {
      if (status !== 'submitted' || !touched.has(gang)) continue;
      const seen = gangs.get(gang) ?? { jobs: 0, seated: 0, runId };
      gangs.set(gang, { ...seen, jobs: seen.jobs + 1, seated: seen.seated + Number(instanceId !== null) });
    }
    for (const { jobs, seated, runId } of gangs.values())
      if (seated !== 0 && seated !== jobs) story.violate(`run ${runId} has machines for some of its nodes only`);
  },
};
