/** What made an offer impossible; one code per kind so that rejections can be counted and explained. */
export type RejectionCode =
  | 'agent'
  | 'availability-zone'
  | 'backend'
  | 'backend-options'
  | 'cpu-arch'
  | 'cpu-count'
  | 'disk'
  | 'feature'
  | 'fleet'
  | 'gpu-count'
  | 'gpu-compute-capability'
  | 'gpu-memory'
  | 'gpu-name'
  | 'gpu-total-memory'
  | 'gpu-vendor'
  | 'instance-type'
  | 'memory'
  | 'nodes'
  | 'price'
  | 'region'
  | 'spot'
  | 'tpu'
  | 'volumes';

export interface RejectionReason {
  readonly code: RejectionCode;
  /** For people: what the offer has against what is asked, `memory 7.7GB < 8GB..`. */
  readonly text: string;
}

export interface RejectionSummary {
  readonly code: RejectionCode;
  readonly count: number;
  /** The text of one rejected offer, as an example. */
  readonly example: string;
}

/** Is told why something does not fit. The text is asked for only where somebody reads it: a catalogue has a thousand reasons of a kind. */
export type Reject = (code: RejectionCode, text: () => string) => void;

/** Everything that is told to `reject`, with its texts. */
export function collectRejections(judge: (reject: Reject) => void): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  judge((code, text) => void reasons.push({ code, text: text() }));
  return reasons;
}

/** Why a plan is empty: the most frequent reasons first. */
export function summariseRejections(rejections: Iterable<readonly RejectionReason[]>): RejectionSummary[] {
  const single = [...rejections].flat().map(({ code, text }) => ({ code, count: 1, example: text }));
  return mergeRejections(single);
}

/** Summaries of several places where offers were looked for, as one. */
export function mergeRejections(summaries: Iterable<RejectionSummary>): RejectionSummary[] {
  const byCode = new Map<RejectionCode, RejectionSummary>();
  for (const { code, count, example } of summaries) {
    const seen = byCode.get(code);
    byCode.set(code, { code, count: (seen?.count ?? 0) + count, example: seen?.example ?? example });
  }
  return [...byCode.values()].sort((a, b) => b.count - a.count);
}
