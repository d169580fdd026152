import { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKind } from '../schema/choice.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { defaulted, optional } from '../schema/presence.js';
import { oneOf, readText, text } from '../schema/scalars.js';
import { splitPaths } from './split-paths.js';

type RepoSpec = Required<NonNullable<Wire.TaskConfiguration['repos']>[number]>;

const expected = '"PATH_OR_URL" or "PATH_OR_URL:PATH"';

/** A local path or a URL, and where it goes. A port inside a URL belongs to the URL. */
export function parseRepoSpec(written: string): RepoSpec {
  const [source, path] = splitSource(written);
  const isUrl = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(source) || /^[^/\\:@]*@[^:]+:/.test(source);
  return {
    local_path: isUrl ? null : source,
    url: isUrl ? source : null,
    branch: null,
    hash: null,
    path: checkedPath(path),
    if_exists: 'error',
  };
}

export function repoSpec(): z.ZodType<RepoSpec> {
  const short = leaf({ type: 'string', minLength: 1 }, (value) => parseRepoSpec(readText(value)));
  const full = mapping({
    local_path: optional(text({ minLength: 1 })),
    url: optional(text({ minLength: 1 })),
    branch: optional(text()),
    hash: optional(text()),
    path: defaulted(
      leaf({ type: 'string' }, (value) => checkedPath(readText(value))),
      () => '.',
    ),
    if_exists: defaulted(oneOf(['error', 'skip']), () => 'error' as const),
  }).transform((repo, context): RepoSpec => {
    if ((repo.local_path === null) === (repo.url === null)) {
      context.issues.push({ code: 'custom', message: 'exactly one of local_path and url must be set', input: repo });
      return z.NEVER;
    }
    return repo;
  });
  return byKind(expected, { text: short, mapping: full });
}

function splitSource(written: string): [string, string] {
  const invalid = (): Mismatch => new Mismatch(`Invalid repo ${describe(written)}: expected ${expected}`, { expected });
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/(?:[^/@]*@)?[^/:]*(?::\d+(?=[/:]|$))?[^:]*)(?::(.*))?$/.exec(written);
  const scp = /^([^/\\:@]+@[^:]+:[^:]+)(?::(.*))?$/.exec(written);
  const found = scheme ?? scp;
  if (found !== null) {
    const [, source = '', path] = found;
    if (path === '' || path?.includes(':')) throw invalid();
    return [source, path ?? '.'];
  }
  const parts = splitPaths(written);
  const [source = '', path = '.'] = parts;
  if (parts.length > 2 || source === '' || path === '') throw invalid();
  return [source, path];
}

function checkedPath(path: string): string {
  if (/^~[^/]/.test(path))
    throw new Mismatch(`the path ${describe(path)} names another user's home: use ~/… or an absolute path`, {
      expected: 'a path or ~/…',
    });
  return path === '' ? '.' : path;
}
