import { UsageError } from '../errors/cli-error.js';
import { renderChanges, type SpecChange } from '../render/spec-diff.js';
import type { CliContext } from '../terminal/context.js';
import { confirm } from '../terminal/prompt.js';

export interface ResourceChange {
  readonly kind: 'fleet' | 'gateway' | 'volume';
  readonly name: string | null | undefined;
  /** Absent: nothing of this name is there. */
  readonly changes: readonly SpecChange[] | undefined;
  /** The server can change it where it is. */
  readonly inPlace: boolean;
  /** What applying it again as it is does; absent: nothing. */
  readonly again?: string | undefined;
  readonly yes: boolean;
  readonly force: boolean;
}

export type ResourceAction = 'create' | 'update' | 'replace' | 'nothing' | 'declined';

/** Tells what applying comes to and asks for it. */
export async function chooseResourceAction(
  context: CliContext,
  change: ResourceChange,
  say: (text: string) => void,
): Promise<ResourceAction> {
  const { kind, name, changes, yes, force } = change;
  const agreed = async (question: string) => yes || (await confirm(context, question));
  if (changes === undefined)
    return (await agreed(name ? `Create the ${kind} ${name}?` : `Create a new ${kind}?`)) ? 'create' : 'declined';
  if (name === undefined || name === null)
    throw new UsageError(`The ${kind} has no name.`, 'Name it in the file, or with -n NAME.');
  if (changes.length === 0) {
    say(`The ${kind} ${name} already exists and nothing changed.`);
    if (change.again !== undefined && !force) {
      say(change.again);
      return (await agreed(`Apply the ${kind} again?`)) ? 'update' : 'declined';
    }
    if (yes && !force) {
      say('Use --force to re-create it.');
      return 'nothing';
    }
    return (await agreed(`Re-create the ${kind}?`)) ? 'replace' : 'declined';
  }
  const way = change.inPlace
    ? 'can be made in place'
    : `cannot be made in place: the ${kind} would be deleted and created again`;
  say(`The ${kind} ${name} already exists. These changes ${way}:\n${renderChanges(changes)}`);
  if (kind === 'volume')
    say(context.style.warning('The data of a volume that dstack created is lost when it is re-created.'));
  if (change.inPlace) return (await agreed(`Update the ${kind}?`)) ? 'update' : 'declined';
  return (await agreed(`Re-create the ${kind}?`)) ? 'replace' : 'declined';
}
