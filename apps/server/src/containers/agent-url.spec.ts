import { agentUrl, RELEASED_AGENT_URL } from './agent-url.js';

const identity = { version: '0.1.0', arch: 'arm', sha256: 'ab'.repeat(32) } as const;

it.each([
  ['https://mirror.example.com/agent.tar.gz', 'https://mirror.example.com/agent.tar.gz'],
  ['https://m.example.com/{version}/{arch}/{arch}.tgz', 'https://m.example.com/0.1.0/arm64/arm64.tgz'],
  ['https://m.example.com/{sha256}', `https://m.example.com/${'ab'.repeat(32)}`],
  [RELEASED_AGENT_URL, expect.stringMatching(/\/0\.1\.0\/dstack-agent-0\.1\.0-linux-arm64\.tar\.gz$/)],
])('%s leads to the agent of this server', (template, url) => {
  expect(agentUrl(template, identity)).toEqual(url);
});
