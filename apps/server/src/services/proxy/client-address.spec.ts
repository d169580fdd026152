import { expect, it } from '@jest/globals';
import { isProxyRange, isTrustedProxy } from './client-address.js';

it.each<[string, string, readonly string[], boolean]>([
  ['the proxy of this machine', '127.0.0.1', ['127.0.0.1', '::1'], true],
  ['it, through an IPv6 socket', '::ffff:127.0.0.1', ['127.0.0.1'], true],
  ['somebody else', '10.0.0.1', ['127.0.0.1'], false],
  ['anybody, where all are', '10.0.0.1', ['*'], true],
  ['one of a range', '10.9.8.7', ['127.0.0.1', '10.0.0.0/8'], true],
  ['one of a range, through an IPv6 socket', '::ffff:10.9.8.7', ['10.0.0.0/8'], true],
  ['one beside a range', '11.0.0.1', ['10.0.0.0/8'], false],
  ['one of an IPv6 range', 'fd00::5', ['fd00::/8'], true],
  ['one of the other family', '10.0.0.1', ['fd00::/8'], false],
  ['a socket that is gone', '', ['10.0.0.0/8'], false],
])('trusts or not: %s', (_who, address, allowed, expected) => {
  expect(isTrustedProxy(address, allowed)).toBe(expected);
});

it.each([
  ['10.0.0.0/8', true],
  ['fd00::/64', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['proxy/8', false],
  ['10.0.0.0', false],
])('%s is a range: %s', (text, expected) => {
  expect(isProxyRange(text)).toBe(expected);
});
