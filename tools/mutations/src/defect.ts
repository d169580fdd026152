/** A few lines of a source, and what a tired person could have written instead. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Stories of everything; or of gateways, where most create calls have trouble. */
export type StoryKind = 'usual' | 'gateways';

/** A mistake that once was in this server, is known from the field, or is easily made; the simulator has to find it. */
export interface Defect {
  readonly name: string;
  /** What somebody who uses the server with the defect would lose. */
  readonly loses: string;
  /** Where the mistake is known from; left out: nobody is known to have made it. */
  readonly knownFrom?: 'the field' | 'this server';
  /** In which it is looked for; left out: the usual ones. */
  readonly stories?: StoryKind;
  readonly edits: readonly Edit[];
}
