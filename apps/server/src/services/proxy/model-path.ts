/** Of the OpenAI API, what is asked of one model. */
const CALLS = ['chat/completions', 'completions', 'embeddings'] as const;
export type ModelCall = (typeof CALLS)[number];

export interface ModelPath {
  readonly project: string;
  readonly call: ModelCall | 'models';
}

/** Null: it is no target of models. */
export function parseModelPath(target: string): ModelPath | null {
  const [, project, rest] = /^\/proxy\/models\/([A-Za-z0-9_-]{1,100})\/([a-z/]+)(?:\?.*)?$/.exec(target) ?? [];
  if (project === undefined || rest === undefined) return null;
  const call = [...CALLS, 'models' as const].find((known) => known === rest);
  return call === undefined ? null : { project, call };
}
