/** Of the OpenAI API, what is asked of one model. */
const CALLS = ['chat/completions', 'completions', 'embeddings'] as const;
export type ModelCall = (typeof CALLS)[number];

export interface ModelPath {
  readonly project: string;
  readonly call: ModelCall | 'models';
}

/** `/models`, `/v1/models` and `/<project>/models` are the same question. Null: it is none. */
export function parseModelPath(target: string, ownProject: string): ModelPath | null {
  const [, project, rest] =
    /^(?:\/([A-Za-z0-9_-]{1,100}))?\/(models|chat\/completions|completions|embeddings)(?:\?.*)?$/.exec(target) ?? [];
  const call = [...CALLS, 'models' as const].find((known) => known === rest);
  if (call === undefined) return null;
  return { project: project === undefined || project === 'v1' ? ownProject : project, call };
}
