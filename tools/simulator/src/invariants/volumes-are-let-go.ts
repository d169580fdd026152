import type { Invariant } from './invariant.js';

/** At the end no volume is at a machine, or on its way, and none is left in a cloud. */
export const volumesAreLetGo: Invariant = {
  atTheEnd({ story, query, disks }) {
    const held = query<{ name: string }>(
      'SELECT v.name FROM volume_attachments a JOIN volumes v ON v.id = a.volume_id',
    );
    for (const { name } of held) story.violate(`volume ${name} is never let go of`);
    for (const name of disks()) story.violate(`disk ${name} is left`);
  },
};
