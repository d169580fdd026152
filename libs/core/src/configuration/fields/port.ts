import type { z } from 'zod';
import { byKind } from '../schema/choice.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { optional } from '../schema/presence.js';
import { integer, readText } from '../schema/scalars.js';

export interface Port {
  local_port: number | null;
  container_port: number;
}

const expected = 'a port, "local:container" or "*:container", each port 1..65535';
const portNumber = (): z.ZodType<number> => integer({ min: 1, max: 65_535 });

/** A port of the container and the local one it is forwarded to; null is any free one. */
export function parsePort(text: string): Port {
  const [, local, container] = /^(?:(\d+|\*):)?(\d+)$/.exec(text.trim()) ?? [];
  const containerPort = validPort(container);
  const localPort = local === undefined ? containerPort : local === '*' ? null : validPort(local);
  if (containerPort === undefined || localPort === undefined)
    throw new Mismatch(`invalid port ${describe(text)}: expected ${expected}`, { expected });
  return { local_port: localPort, container_port: containerPort };
}

export function portMapping(): z.ZodType<Port> {
  const short = leaf(
    {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: 65_535 },
        { type: 'string', pattern: '^(?:(?:\\d+|\\*):)?\\d+$' },
      ],
    },
    (value) => parsePort(readText(value)),
  );
  return byKind(expected, { text: short, number: short, mapping: fullPort() });
}

/** The port of a service: only the container's matters, a bare one is served as 80. */
export function servicePort(): z.ZodType<Port> {
  const short = leaf(
    {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: 65_535 },
        { type: 'string', pattern: '^(?:\\d+:)?\\d+$' },
      ],
    },
    (value) => {
      const written = readText(value);
      if (written.includes('*'))
        throw new Mismatch(`invalid port ${describe(written)}: expected a port or "local:container"`, {
          expected: 'a port or "local:container"',
        });
      const port = parsePort(written);
      return written.includes(':') ? port : { ...port, local_port: 80 };
    },
  );
  return byKind('a port or "local:container"', { text: short, number: short, mapping: fullPort() });
}

const fullPort = (): z.ZodType<Port> => mapping({ local_port: optional(portNumber()), container_port: portNumber() });

function validPort(digits: string | undefined): number | undefined {
  const port = Number(digits);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
