import type { z } from 'zod';
import type * as Wire from '../../wire/generated/api.js';
import { byKind } from '../schema/choice.js';
import { describe } from '../schema/kind.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { listOf, optional } from '../schema/presence.js';
import { integer, readText, text } from '../schema/scalars.js';
import { blocks } from './blocks.js';
import { isPrivateAddress, isPrivateNetwork } from './private-address.js';

const port = (): z.ZodType<number> => integer({ min: 1, max: 65_535 });
const sshKey = (): z.ZodType<Wire.SSHKey> => mapping({ public: text(), private: optional(text()) });

function proxyJump(): z.ZodType<Wire.SSHProxyParams> {
  return mapping({
    hostname: text({ minLength: 1 }),
    port: optional(port()),
    user: text({ minLength: 1 }),
    identity_file: text({ minLength: 1 }),
    ssh_key: optional(sshKey()),
  });
}

const internalIp = leaf({ type: 'string' }, (value) => {
  const read = readText(value);
  if (!isPrivateAddress(read))
    throw new Mismatch(`${describe(read)} is not a private IP address`, { expected: 'a private IP address' });
  return read;
});

const network = leaf({ type: 'string' }, (value) => {
  const read = readText(value);
  if (!isPrivateNetwork(read))
    throw new Mismatch(`${describe(read)} is not a private network`, {
      expected: 'a private network like 10.0.0.0/24',
    });
  return read;
});

export function sshConfig(): z.ZodType<Wire.SSHParams> {
  const host = mapping({
    hostname: text({ minLength: 1 }),
    port: optional(port()),
    user: optional(text()),
    identity_file: optional(text()),
    proxy_jump: optional(proxyJump()),
    internal_ip: optional(internalIp),
    ssh_key: optional(sshKey()),
    blocks: optional(blocks()),
  });
  const hostname = text({ minLength: 1 });
  return mapping({
    user: optional(text()),
    port: optional(port()),
    identity_file: optional(text()),
    ssh_key: optional(sshKey()),
    proxy_jump: optional(proxyJump()),
    hosts: listOf(byKind('a host name or a mapping', { text: hostname, number: hostname, mapping: host })),
    network: optional(network),
  });
}
