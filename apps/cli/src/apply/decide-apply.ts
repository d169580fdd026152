import { isFinalRunStatus, type Wire } from '@dstack/sdk';
import { renderChanges, type SpecChange } from '../render/spec-diff.js';

/** What applying a plan comes to, before anybody is asked. */
export type ApplyDecision =
  | { readonly do: 'submit'; readonly message: string; readonly question: string }
  | { readonly do: 'update'; readonly message: string; readonly question: string }
  | { readonly do: 'replace'; readonly message: string; readonly question: string }
  | { readonly do: 'nothing'; readonly message: string };

export interface ApplySituation {
  readonly plan: Wire.RunPlan;
  readonly changes: readonly SpecChange[];
  readonly yes: boolean;
  readonly force: boolean;
}

/** Submit, update in place, or stop and replace. Pure. */
export function decideApply({ plan, changes, yes, force }: ApplySituation): ApplyDecision {
  const current = plan.current_resource;
  const name = current?.run_spec.run_name ?? plan.run_spec.run_name;
  if (!current || isFinalRunStatus(current.status)) {
    return { do: 'submit', message: '', question: name ? `Submit the run ${name}?` : 'Submit a new run?' };
  }
  if (changes.length === 0 && plan.action === 'update') {
    if (yes && !force) {
      return {
        do: 'nothing',
        message: `Active run ${name ?? ''} already exists and nothing changed. Use --force to stop and run it again.`,
      };
    }
    return {
      do: 'replace',
      message: `Active run ${name ?? ''} already exists and nothing changed.`,
      question: 'Stop and override the run?',
    };
  }
  if (plan.action === 'update') {
    return {
      do: 'update',
      message: `Active run ${name ?? ''} already exists. These changes can be made in place:\n${renderChanges(changes)}`,
      question: 'Update the run?',
    };
  }
  return {
    do: 'replace',
    message: `Active run ${name ?? ''} already exists. These changes cannot be made in place:\n${renderChanges(changes)}`,
    question: 'Stop and override the run?',
  };
}
