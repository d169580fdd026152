import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

const REGISTRY = '/usr/bin/docker-registry';
export const REGISTRY_USER = 'puller';
export const REGISTRY_PASSWORD = 'sesame-0815';
/** Of the password, by bcrypt: the one form the registry takes. */
const HASH = '$2y$05$4G3srQyGLcBFCDywqRdd5uyQNpTYLGK4p5NH6s1N2tp.CFmBdO.ey';

export interface Registry {
  /** Host and port, as the first part of an image's name. */
  readonly host: string;
  /** Makes an image of one file on a local one, pushes it, and forgets it here. */
  push(image: string, from: string, file: string): void;
  stop(): void;
}

export const canServeImages = (): boolean => existsSync(REGISTRY);

/** A real registry on loopback that answers only who has the password. */
export async function startRegistry(dir: string): Promise<Registry> {
  const host = `127.0.0.1:${await freePort()}`;
  const auth = Buffer.from(`${REGISTRY_USER}:${REGISTRY_PASSWORD}`).toString('base64');
  const client = join(dir, 'client');
  mkdirSync(client);
  writeFileSync(join(client, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  writeFileSync(join(dir, 'passwords'), `${REGISTRY_USER}:${HASH}\n`);
  // JSON is YAML.
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'images') } },
    http: { addr: host },
    auth: { htpasswd: { realm: 'test', path: join(dir, 'passwords') } },
  };
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(config));
  const child: ChildProcess = spawn(REGISTRY, ['serve', join(dir, 'config.yml')], { stdio: 'ignore' });
  await until('the registry to answer', async () => (await fetch(`http://${host}/v2/`).catch(() => undefined))?.status === 401); // prettier-ignore
  const docker = (args: readonly string[], input = '') =>
    execFileSync('docker', ['--config', client, ...args], { input, stdio: ['pipe', 'pipe', 'pipe'] });
  return {
    host,
    push(image, from, file) {
      const context = join(dir, 'context');
      mkdirSync(context, { recursive: true });
      writeFileSync(join(context, 'file'), file);
      writeFileSync(join(context, 'Dockerfile'), `FROM ${from}\nCOPY file /pulled\n`);
      docker(['build', '-q', '-t', image, context]);
      docker(['push', '-q', image]);
      docker(['rmi', image]);
    },
    stop: () => child.kill('SIGTERM'),
  };
}
