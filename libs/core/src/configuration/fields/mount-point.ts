import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKind, eitherShape, own } from '../schema/choice.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { defaulted, listOf } from '../schema/presence.js';
import { flag, readText, text } from '../schema/scalars.js';

type MountPoint = Wire.VolumeMountPoint | Wire.InstanceMountPoint;

const expected = '"volume-name:/path" or "/instance/path:/path"';

export function parseMountPoint(written: string): MountPoint {
  const parts = written.split(':');
  const [source = '', target = ''] = parts;
  if (parts.length !== 2 || source === '' || target === '')
    throw new Mismatch(`invalid mount point ${describe(written)}: expected ${expected}`, { expected });
  const path = normalisePath(target);
  return source.includes('/')
    ? { instance_path: normalisePath(source), path, optional: false }
    : { name: source, path };
}

/** An absolute path inside Linux, without doubled or trailing slashes. */
export function normalisePath(path: string): string {
  if (!path.startsWith('/'))
    throw new Mismatch(`the path ${describe(path)} must be absolute`, { expected: 'an absolute path' });
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new Mismatch(`the path ${describe(path)} must not contain ".."`, {
      expected: 'an absolute path without ".."',
    });
  return `/${parts.join('/')}`;
}

export function mountPoint(): z.ZodType<MountPoint> {
  const short = leaf({ type: 'string', pattern: '^[^:]+:/[^:]*$' }, (value) => parseMountPoint(readText(value)));
  const path = (): z.ZodType<string> =>
    leaf({ type: 'string', pattern: '^/' }, (value) => normalisePath(readText(value)));
  const name = byKind('a volume name or a list of names', {
    text: text({ minLength: 1 }),
    list: listOf(text({ minLength: 1 }), { min: 1 }),
  });
  const volume = mapping({ name, path: path() });
  const instance = mapping({ instance_path: path(), path: path(), optional: defaulted(flag(), () => false) });
  return byKind(expected, {
    text: short,
    mapping: eitherShape((value) => own(value, 'instance_path') !== undefined, instance, volume),
  });
}
