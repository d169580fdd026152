import type { Defect } from './defect.js';

/** The source has changed since the defect was written down. */
export class DefectDoesNotApplyError extends Error {
  override readonly name = 'DefectDoesNotApplyError';

  constructor(defect: string, file: string, found: number, find: string) {
    super(
      `defect ${defect} does not apply to ${file}: its text is found ${found} times instead of once. ` +
        `Write it anew for what stands there now:\n${find}`,
    );
  }
}

/**
 * The files of a defect as they are with it, by path from the root of the repository.
 * @throws {DefectDoesNotApplyError}
 */
export function applyEdits({ name, edits }: Defect, read: (file: string) => string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? read(file);
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0)
      throw new DefectDoesNotApplyError(name, file, text.split(find).length - 1, find);
    texts.set(file, before + replace + after);
  }
  return texts;
}
