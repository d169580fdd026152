import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKind } from '../schema/choice.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { readText, text } from '../schema/scalars.js';
import { isWindowsAbsolute, splitPaths } from './split-paths.js';

type FileMapping = NonNullable<Wire.TaskConfiguration['files']>[number];

const expected = '"LOCAL" or "LOCAL:PATH"';

/** `LOCAL` alone goes to the same path inside. */
export function parseFileMapping(written: string): FileMapping {
  const parts = splitPaths(written);
  const [localPath = '', path = localPath] = parts;
  if (parts.length > 2 || localPath === '' || path === '')
    throw new Mismatch(`invalid file mapping ${describe(written)}: expected ${expected}`, { expected });
  return { local_path: localPath, path: containerPath(path) };
}

export function fileMapping(): z.ZodType<FileMapping> {
  const short = leaf({ type: 'string', minLength: 1 }, (value) => parseFileMapping(readText(value)));
  const path = leaf({ type: 'string', minLength: 1 }, (value) => containerPath(readText(value)));
  return byKind(expected, { text: short, mapping: mapping({ local_path: text({ minLength: 1 }), path }) });
}

function containerPath(path: string): string {
  if (path === '') throw new Mismatch('must not be empty');
  if (isWindowsAbsolute(path))
    throw new Mismatch(
      `the path ${describe(path)} is a Windows path: give the path inside the container, as LOCAL:PATH`,
      { expected: 'a path inside the container' },
    );
  return path;
}
