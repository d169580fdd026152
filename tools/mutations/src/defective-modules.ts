import { readFileSync } from 'node:fs';
import { applyEdits } from './apply-edits.js';
import type { Defect } from './defect.js';
import { transpile } from './transpile.js';

const ROOT = new URL('../../../', import.meta.url);

/** What the modules of the build that a defect changes would be with it, by their URL. Nothing is written to disk. */
export function defectiveModules(defect: Defect): Map<string, string> {
  const texts = applyEdits(defect, (file) => readFileSync(new URL(file, ROOT), 'utf8'));
  return new Map([...texts].map(([file, text]) => [builtModule(file), transpile(file, text)]));
}

function builtModule(source: string): string {
  return new URL(source.replace('/src/', '/dist/').replace(/\.ts$/, '.js'), ROOT).href;
}
