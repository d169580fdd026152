import type { Defect } from '../defect.js';

/** What is on a volume is what people come back for. */
export const VOLUME_DEFECTS: readonly Defect[] = [
  {
    name: 'job-does-not-wait-for-its-volume',
    loses: 'what the job writes: it goes to the disk of the machine, and ends with it',
    edits: [
      {
        file: 'apps/server/src/volumes/job-volumes.ts',
        find: '  if (attachment.isAttached) return null;\n',
        replace: "  if (attachment.volumeId !== '') return null;\n",
      },
    ],
  },
  {
    name: 'volume-is-free-before-it-has-left',
    loses: 'the next run of the volume, or what the last one still writes when it is deleted',
    edits: [
      {
        file: 'apps/server/src/volumes/volume-commit.ts',
        find: 'if (isDetached(answer, ',
        replace: "if (isDetached('done', ",
      },
    ],
  },
  {
    name: 'detach-is-repeated-while-it-waits',
    loses: 'hours: the wait for a call that had no answer begins anew with each repetition that has none',
    edits: [
      {
        file: 'apps/server/src/volumes/volume-commit.ts',
        find: '    if (nextTryAt === null) return null;\n',
        replace: "    if (nextTryAt !== null || instanceId !== '') return null;\n",
      },
    ],
  },
];
