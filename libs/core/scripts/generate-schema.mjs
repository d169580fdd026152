// Writes dstack.schema.json from the schemas the parser uses; with --check fails when the file is not what they say.
// Needs the built package (tsc -b).
import { readFile, writeFile } from 'node:fs/promises';
import { editorSchema } from '../dist/configuration/editor-schema.js';

const target = new URL('../dstack.schema.json', import.meta.url);
const wanted = `${JSON.stringify(editorSchema(), null, 1)}\n`;

if (process.argv.includes('--check')) {
  const present = await readFile(target, 'utf8').catch(() => '');
  if (present !== wanted) {
    console.error('libs/core/dstack.schema.json is stale: run node libs/core/scripts/generate-schema.mjs after tsc -b');
    process.exitCode = 1;
  }
} else {
  await writeFile(target, wanted);
}
