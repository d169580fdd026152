#!/usr/bin/env node
/** Writes the pages of `docs/reference` that are made from code (built before); `--check` only says whether they are fresh. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { cliReference } from './references/cli.mjs';
import { configurationReference } from './references/configuration.mjs';
import { errorReference } from './references/errors.mjs';
import { restReference } from './references/rest.mjs';

const directory = new URL('../../docs/reference', import.meta.url).pathname;
const PAGES = { cli: cliReference, configuration: configurationReference, rest: restReference, errors: errorReference };

const note = (name) => `<!-- Made by tools/ci/references/${name}.mjs from the code: change that. -->`;

for (const [name, make] of Object.entries(PAGES)) {
  const path = join(directory, `${name}.md`);
  const [title, ...rest] = await make();
  const options = { ...(await resolveConfig(path)), parser: 'markdown' };
  const wanted = await format([title, '', note(name), ...rest].join('\n'), options);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, wanted);
    continue;
  }
  let present = '';
  try {
    present = readFileSync(path, 'utf8');
  } catch {
    // Not made yet.
  }
  if (present === wanted) continue;
  console.error(`docs/reference/${name}.md is stale: npm run generate`);
  process.exitCode = 1;
}
