import { type ConfigurationIssue, type IssuePath, semanticIssue } from '../issue.js';
import { findReferences } from '../interpolation.js';

interface Place {
  readonly pattern: RegExp;
  readonly expected: string;
}

const SECRETS: Place = { pattern: /^secrets\.[\w-]+$/, expected: 'expected ${{ secrets.NAME }}' };
const AUTH: Place = { pattern: /^(env|secrets)\.[\w-]+$/, expected: 'expected ${{ env.NAME }} or ${{ secrets.NAME }}' };
const ENV: Place = { pattern: /^env\.\w+$/, expected: 'expected ${{ env.NAME }}' };
const RANK: Place = { pattern: /^dstack\.(node_rank|job_num)$/, expected: 'expected ${{ dstack.node_rank }}' };
const NOWHERE: Place = { pattern: /^(?!)/, expected: 'secrets go into env and registry_auth, run.args into commands' };
/** Their other references are known to the passes that fill them in. */
const COMMANDS: Place = { pattern: /^(?!secrets\b)/, expected: '' };

function placeAt([field, , third]: IssuePath): Place {
  if (field === 'env') return SECRETS;
  if (field === 'registry_auth') return AUTH;
  if (field === 'probes') return ENV;
  if (field === 'volumes' && third === 'name') return RANK;
  return field === 'commands' || field === 'init' || field === 'setup' || third === 'commands' ? COMMANDS : NOWHERE;
}

/** References that nobody will ever fill in: the text would reach the job, or an image registry, as it is written. */
export function checkReferences(run: object): ConfigurationIssue[] {
  return textsOf(run, []).flatMap(({ path, text }) =>
    text.includes('${{') ? problemsOf(placeAt(path), text).map((problem) => semanticIssue(path, problem)) : [],
  );
}

function problemsOf(place: Place, text: string): string[] {
  const { references, problems } = findReferences(text);
  const refused = references.filter(({ name }) => !place.pattern.test(name));
  return [
    ...(place === COMMANDS ? [] : problems),
    ...refused.map(({ name }) => `\${{ ${name} }} is not filled in here: ${place.expected || throughEnv(name)}`),
  ];
}

/** In a command a secret would show in process lists, and in the run itself. */
function throughEnv(reference: string): string {
  const key = reference.split('.')[1] ?? 'NAME';
  return `set env (${key}: \${{ ${reference} }}) and write $${key}`;
}

interface PlacedText {
  readonly path: IssuePath;
  readonly text: string;
}

function textsOf(value: unknown, path: IssuePath): PlacedText[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((each, index) => textsOf(each, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => textsOf(each, [...path, key]));
}
