import type { Attempt } from '@dstack/backend-base';
import { z } from 'zod';
import type { Labels } from './names.js';
import type { Pod } from './schema.js';

const schema = z.object({
  owner: z.string(),
  project: z.string(),
  /** Starts the agent where no image has it. */
  command: z.array(z.string()),
});

/** All that is needed to make the jump pod of a job's pod: it is kept on the pod, so that the way in can be made again. */
export type JumpRequest = z.infer<typeof schema>;

const ANNOTATION = 'k8s.dstack.ai/jump-request';

export function jumpRequestOf({ owner, project, container }: Attempt): JumpRequest {
  return { owner, project, command: [...(container?.command ?? [])] };
}

export function jumpRequestAnnotation(attempt: Attempt): Labels {
  return { [ANNOTATION]: JSON.stringify(jumpRequestOf(attempt)) };
}

/** Null: somebody changed the annotation. */
export function readJumpRequest({ metadata }: Pod): JumpRequest | null {
  try {
    return schema.safeParse(JSON.parse(metadata.annotations[ANNOTATION] ?? '')).data ?? null;
  } catch {
    return null;
  }
}
