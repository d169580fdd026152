#!/usr/bin/env node
/** Writes `docs/reference/env.md` from the server's table of settings (built before); `--check` only says whether it is fresh. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { VARIABLE_GROUPS } from '../../apps/server/dist/settings/variable-groups.js';

const root = new URL('../..', import.meta.url).pathname;
const path = join(root, 'docs/reference/env.md');

const cell = (text) => String(text).replaceAll('|', '\\|');

function typeOf(variable) {
  if (variable.type === 'choice') return variable.values.map((value) => `\`${value}\``).join(', ');
  return variable.type === 'flag' ? 'flag' : variable.type;
}

function defaultOf(variable) {
  if (variable.otherwise !== undefined) return variable.otherwise.replaceAll('<', '‹').replaceAll('>', '›');
  if (variable.default === undefined) return '–';
  return variable.default === '' ? 'empty' : `\`${variable.default}\``;
}

const marks = (variable) =>
  [variable.secret ? 'secret' : '', variable.ours ? 'not of the original' : ''].filter(Boolean);

function table(variables) {
  if (variables.length === 0) return [];
  return [
    '| variable | type | default | what it is for |',
    '| --- | --- | --- | --- |',
    ...variables.map(([name, variable]) => {
      const notes = marks(variable);
      const says = `${variable.says}${notes.length > 0 ? ` _(${notes.join(', ')})_` : ''}`;
      return `| \`${name}\` | ${cell(typeOf(variable))} | ${cell(defaultOf(variable))} | ${cell(says)} |`;
    }),
    '',
  ];
}

const all = Object.entries(VARIABLE_GROUPS).map(([title, variables]) => [title, Object.entries(variables)]);
const flat = all.flatMap(([, variables]) => variables);
const lines = [
  '# Environment variables of the server',
  '',
  '<!-- Made by tools/ci/generate-env-reference.mjs from apps/server/src/settings/variable-groups: change that. -->',
  '',
  'Read once, when the server starts. The command line (`dstack server --help`) goes before them. A `flag` is on whenever it exists, even empty.',
  'Values that cannot be meant keep the server from starting; the log warns of unknown `DSTACK_SERVER_*` names.',
  'Those marked secret never stand in logs or the support bundle.',
  '',
  ...all.flatMap(([title, variables]) => {
    const built = variables.filter(([, { state }]) => state === undefined);
    return built.length === 0 ? [] : [`## ${title}`, '', ...table(built)];
  }),
  '## Without effect',
  '',
  'Of the original, taken without a word: there is nothing for them to do here.',
  '',
  '| variable | because |',
  '| --- | --- |',
  ...flat
    .filter(([, { state }]) => typeof state === 'object')
    .map(([name, { state }]) => `| \`${name}\` | ${cell(state.because)} |`),
  '',
];
const text = await format(lines.join('\n'), { ...(await resolveConfig(path)), filepath: path });
if (process.argv.includes('--check')) {
  let found = '';
  try {
    found = readFileSync(path, 'utf8');
  } catch {
    // missing is not fresh
  }
  if (found !== text) {
    console.error('docs/reference/env.md is not fresh: npm run build && npm run generate');
    process.exit(1);
  }
} else {
  mkdirSync(join(root, 'docs/reference'), { recursive: true });
  writeFileSync(path, text);
}
