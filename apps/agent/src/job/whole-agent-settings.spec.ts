import { readJumpSettings, readWholeAgentSettings } from './whole-agent-settings.js';

const LISTEN = { DSTACK_AGENT_SSH_LISTEN: '[::]:10022' };

it('leads to others where it is told a port', () => {
  const env = {
    ...LISTEN,
    DSTACK_AGENT_FORWARD_ONLY_TO: '10022',
    DSTACK_AGENT_HOST_KEY: Buffer.from('PEM').toString('base64'),
  };
  expect(readJumpSettings(env)).toEqual({ listen: { host: '::', port: 10_022 }, targetPort: 10_022, hostKey: 'PEM' });
});

it('has a job otherwise, and needs the key of a server', () => {
  expect(readJumpSettings(LISTEN)).toBeUndefined();
  expect(() => readWholeAgentSettings(LISTEN)).toThrow('DSTACK_AGENT_AUTHORIZED_KEYS must hold the key of the server');
  expect(readWholeAgentSettings({ ...LISTEN, DSTACK_AGENT_AUTHORIZED_KEYS: 'a\n\nb' }).agentKeys).toEqual(['a', 'b']);
});

it.each([
  [{ DSTACK_AGENT_FORWARD_ONLY_TO: 'ssh', ...LISTEN }, 'must be a port'],
  [{ DSTACK_AGENT_FORWARD_ONLY_TO: '22', DSTACK_AGENT_SSH_LISTEN: '22' }, 'must be host:port'],
])('%j is told as wrong', (env, message) => {
  expect(() => readJumpSettings(env)).toThrow(message);
});
