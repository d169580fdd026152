import { readSettings } from './read-settings.js';

it.each([
  [{}, undefined, 'never'],
  [{}, 'ask', 'ask'],
  [{ DSTACK_UPDATE_DEFAULT_PROJECT: '1' }, 'ask', 'always'],
  [{ DSTACK_UPDATE_DEFAULT_PROJECT: '1' }, undefined, 'always'],
  [{ DSTACK_DO_NOT_UPDATE_DEFAULT_PROJECT: '' }, 'ask', 'never'],
] as const)("with %j and the command line's %s the client's configuration is changed: %s", (env, stated, expected) => {
  const flags = stated === undefined ? {} : { configureClient: stated };
  expect(readSettings(env, flags).settings.configureClient).toBe(expected);
});
