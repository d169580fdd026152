import { expect, it } from '@jest/globals';
import type { GatewayConfiguration } from '../configuration/gateway.js';
import { checkGatewayUpdate, keepUnsetOfGateway } from './update-gateway.js';

const GATEWAY: GatewayConfiguration = { type: 'gateway', name: 'edge', backend: 'aws', region: 'eu-west-1' };

it.each<[string, Partial<GatewayConfiguration>, boolean, readonly string[]]>([
  ['is the same', {}, false, []],
  ['says what was not said, and is the same', { domain: null, tags: null }, false, []],
  ['gets a domain', { domain: 'example.com' }, true, []],
  ['gets more replicas', { replicas: 3 }, true, []],
  ['becomes the default', { default: true }, true, []],
  ['moves', { region: 'us-east-1' }, true, ['region']],
  ['becomes another machine, with a domain', { instance_type: 'm5', backend: 'gcp', domain: 'a.b' }, true, ['backend', 'instance_type']], // prettier-ignore
])('a gateway that %s', (_, over, isChanged, blockers) => {
  expect(checkGatewayUpdate(GATEWAY, { ...GATEWAY, ...over })).toEqual({ isChanged, blockers });
});

it.each<[string, boolean | undefined, boolean | null | undefined, boolean | null]>([
  ['stays the default when nothing is said', true, undefined, true],
  ['is none any more when that is said', true, false, false],
  ['becomes it when that is said', false, true, true],
  ['was never said to be one', undefined, undefined, null],
])('a gateway that is applied again %s', (_, before, stated, expected) => {
  const configuration = { ...GATEWAY, ...(before === undefined ? {} : { default: before }) };
  const again = { ...GATEWAY, name: null, ...(stated === undefined ? {} : { default: stated }) };
  expect(keepUnsetOfGateway(again, { name: 'edge', configuration })).toMatchObject({ name: 'edge', default: expected });
});
