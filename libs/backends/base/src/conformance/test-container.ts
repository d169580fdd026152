import { type ContainerStart } from '../machine.js';
import { containerCommand } from '../container-command.js';

const AGENT = { url: 'https://example.com/agent.tar.gz', sha256: '5'.repeat(64) };

/** What attempts of a `containers` backend may say that they start. */
export function testContainer(over: Partial<ContainerStart> = {}): ContainerStart {
  return {
    image: 'dstack-test/busybox',
    registryAuth: null,
    command: containerCommand(AGENT, [`ssh-ed25519 ${'A'.repeat(68)}`]),
    agent: AGENT,
    env: {},
    mounts: [],
    privileged: false,
    shmSizeBytes: null,
    ...over,
  };
}
