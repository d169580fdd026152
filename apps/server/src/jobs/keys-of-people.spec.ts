import { expect, it } from '@jest/globals';
import { keysOfPeople } from './keys-of-people.js';

const proxy = { hostname: 'proxy.example.com', port: null };

it.each([
  ['people themselves without an SSH proxy', undefined, ['of the run', 'of the user']],
  ['people themselves beside an SSH proxy', { ...proxy, isEnforced: false }, ['of the run', 'of the user']],
  ['nobody but the server where the proxy is enforced', { ...proxy, isEnforced: true }, []],
])('a job lets in %s', (_, sshProxy, expected) => {
  expect(keysOfPeople(['of the run', null, ' ', 'of the user'], { sshProxy })).toEqual(expected);
});
