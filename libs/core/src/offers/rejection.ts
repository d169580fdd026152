/** What made an offer impossible; one code per kind so that rejections can be counted and explained. */
export type RejectionCode =
  | 'availability-zone'
  | 'backend'
  | 'backend-options'
  | 'cpu-arch'
  | 'cpu-count'
  | 'disk'
  | 'feature'
  | 'gpu-count'
  | 'gpu-compute-capability'
  | 'gpu-memory'
  | 'gpu-name'
  | 'gpu-total-memory'
  | 'gpu-vendor'
  | 'instance-type'
  | 'memory'
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

/** Why a plan is empty: the most frequent reasons first. */
export function summariseRejections(rejections: Iterable<readonly RejectionReason[]>): RejectionSummary[] {
  const byCode = new Map<RejectionCode, RejectionSummary>();
  for (const reasons of rejections) {
    for (const { code, text } of reasons) {
      const seen = byCode.get(code);
      byCode.set(code, { code, count: (seen?.count ?? 0) + 1, example: seen?.example ?? text });
    }
  }
  return [...byCode.values()].sort((a, b) => b.count - a.count);
}
