import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { EngineFacts } from '../../src/docker/engine-facts.js';
import { describeContainers, docker } from './engine.js';

describe('what is said of the engine', () => {
  const dir = mkdtempSync(join(tmpdir(), 'engine-facts-'));
  const socketPath = join(dir, 'docker.sock');
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  it('that it is not there, with what to do', async () => {
    const { available, detail } = await new EngineFacts(new Docker({ socketPath })).ask();
    expect(available).toBe(false);
    expect(detail).toContain(`${socketPath} is not there. Install Docker`);
  });

  it('that it does not answer, after two seconds at most', async () => {
    const sockets: net.Socket[] = [];
    const mute = net.createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(socketPath, resolve));
    try {
      const fact = await new EngineFacts(new Docker({ socketPath })).ask();
      expect(fact).toEqual({ available: false, detail: 'Docker Engine did not answer within 2 s' });
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });
});

describeContainers('the engine of this host', () => {
  it('tells its version', async () => {
    expect(await new EngineFacts(docker).ask()).toEqual({
      available: true,
      detail: expect.stringMatching(/^Docker \d+\./) as string,
    });
  });
});
