/** Of the OpenAI API, what is asked of one model. */
const CALLS = ['chat/completions', 'completions', 'embeddings'] as const;
export type ModelCall = (typeof CALLS)[number];

export interface ModelPath {
  readonly project: string;
  readonly call: ModelCall | 'models';
}

const OWN = /^\/(?:v1\/)?(models|chat\/completions|completions|embeddings)(?:\?.*)?$/;
const OF_PROJECT = /^\/([A-Za-z0-9_-]{1,100})\/(?:v1\/)?(models|chat\/completions|completions|embeddings)(?:\?.*)?$/;

/** `/models`, `/v1/models` and `/<project>/models` are the same question. Null: it is none. */
export function parseModelPath(target: string, ownProject: string): ModelPath | null {
  const [, own] = OWN.exec(target) ?? [];
  const [, project = ownProject, other] = own === undefined ? (OF_PROJECT.exec(target) ?? []) : [];
  const call = [...CALLS, 'models' as const].find((known) => known === (own ?? other));
  return call === undefined ? null : { project, call };
}
