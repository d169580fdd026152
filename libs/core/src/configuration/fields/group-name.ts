import type { z } from 'zod';
import { GROUP_NAME_PATTERN } from '../../names/name-rules.js';
import { text } from '../schema/scalars.js';

export function groupName(): z.ZodType<string> {
  return text({
    pattern: GROUP_NAME_PATTERN,
    expected: '1 to 40 lower-case letters, digits or -, not starting with - (^[a-z0-9][a-z0-9-]{0,39}$)',
  });
}
