import { describeField } from '../../../test/describe-field.js';
import { expect, it } from '@jest/globals';
import { portMapping, servicePort } from './port.js';
import { isPrivateAddress, isPrivateNetwork } from './private-address.js';

const port = (local_port: number | null, container_port: number) => ({ local_port, container_port });
describeField(
  'port',
  portMapping(),
  [
    [8080, port(8080, 8080)],
    ['8080', port(8080, 8080)],
    ['80:8080', port(80, 8080)],
    ['*:8080', port(null, 8080)],
    [{ container_port: 80 }, port(null, 80)],
    [{ local_port: 1, container_port: '80' }, port(1, 80)],
  ],
  [
    ['80:', 'invalid port'],
    ['', 'invalid port'],
    [':80', 'invalid port'],
    ['a', 'invalid port'],
    [0, 'invalid port'],
    [65_536, 'invalid port'],
    ['1:2:3', 'invalid port'],
    ['0:80', 'invalid port'],
    [{ local_port: 1 }, 'is required'],
    [{ container_port: 70_000 }, 'at most 65535'],
  ],
);
describeField(
  'service port',
  servicePort(),
  [
    [8000, port(80, 8000)],
    ['8000', port(80, 8000)],
    ['80:8000', port(80, 8000)],
    [{ container_port: 1 }, port(null, 1)],
  ],
  [
    ['*:80', 'invalid port'],
    [undefined, 'is required'],
  ],
);

it.each([
  ['10.1.2.3', true],
  ['172.31.0.1', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['8.8.8.8', false],
  ['10.0.0', false],
  ['010.0.0.1', false],
  ['fd00::1', true],
  ['2001:4860::1', false],
])('%s private: %s', (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate);
});

it.each([
  ['10.0.0.0/24', true],
  ['10.0.0.5/24', true],
  ['10.0.0.0/7', false],
  ['8.8.8.0/24', false],
  ['10.0.0.0', false],
  ['10.0.0.0/33', false],
])('%s is a private network: %s', (network, isPrivate) => {
  expect(isPrivateNetwork(network)).toBe(isPrivate);
});
