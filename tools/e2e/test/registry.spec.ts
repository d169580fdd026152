import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { canServeImages, type Registry, REGISTRY_PASSWORD, REGISTRY_USER, startRegistry } from '../src/registry.js';
import { SMALL, Stack } from '../src/stack.js';

const whyNot = canServeImages() ? (canRunContainers() ? '' : 'no engine') : 'docker-registry is not installed';
if (whyNot !== '') console.warn(`The story of a private registry is left out: ${whyNot}`);

(whyNot === '' ? describe : describe.skip)('an image behind a password', () => {
  const stack = new Stack();
  const content = randomBytes(8).toString('hex');
  let registry: Registry;
  let image: string;

  beforeAll(async () => {
    const dir = join(stack.work, 'registry');
    mkdirSync(dir);
    registry = await startRegistry(dir);
    image = `${registry.host}/team/tool:1`;
    registry.push(image, TEST_IMAGE, content);
    await stack.start();
  }, 60_000);
  afterAll(async () => {
    registry.stop();
    await stack.close();
    try {
      execFileSync('docker', ['rmi', '-f', image], { stdio: 'ignore' });
    } catch {
      // Never pulled.
    }
  });

  const apply = async (name: string, auth: string) => {
    const text = `type: task\nname: ${name}\nimage: ${image}\n${auth}\ncommands: [cat /pulled]\n${SMALL}\n`;
    const { stdout, stderr, code } = await stack.cli(['apply', '-y', '-f', stack.file(name, text)]);
    return { said: stdout + stderr, code };
  };
  const withPassword = (password: string): string =>
    `registry_auth: {username: ${REGISTRY_USER}, password: '${password}'}`;

  it('is not had without one, or with a wrong one, and that is said without it', async () => {
    const without = await apply('without', '');
    expect(without.said).toMatch(new RegExp(`cannot pull image ${image}.*no basic auth credentials`));
    expect(without.code).not.toBe(0);
    const wrong = await apply('wrong', withPassword('wrong-0816'));
    expect(wrong.said).toMatch(new RegExp(`cannot pull image ${image}.*unauthorized`));
    expect(wrong.said).not.toContain('wrong-0816');
    expect(wrong.code).not.toBe(0);
  });

  it('runs with the right one, which only its owner sees', async () => {
    await stack.cli(['secret', 'set', 'registry', REGISTRY_PASSWORD]);
    const right = await apply('right', withPassword('${{ secrets.registry }}'));
    expect(right.said).toContain(content);
    expect(right.code).toBe(0);
    const told = JSON.stringify(await stack.api('/api/project/main/runs/get', { run_name: 'right' }));
    expect(told + right.said + stack.serverLog()).not.toContain(REGISTRY_PASSWORD);
  });
});

(whyNot === '' ? describe : describe.skip)("the server's own registry behind a password", () => {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-registry-'));
  const content = randomBytes(8).toString('hex');
  let registry: Registry;
  let stack: Stack;

  beforeAll(async () => {
    registry = await startRegistry(dir);
    registry.push(`${registry.host}/team/tool:1`, TEST_IMAGE, content);
    stack = new Stack({
      DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY: registry.host,
      DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_USERNAME: REGISTRY_USER,
      DSTACK_SERVER_DEFAULT_DOCKER_REGISTRY_PASSWORD: REGISTRY_PASSWORD,
    });
    await stack.start();
  }, 60_000);
  afterAll(async () => {
    await stack.close();
    registry.stop();
    rmSync(dir, { recursive: true, force: true });
    try {
      execFileSync('docker', ['rmi', '-f', `${registry.host}/team/tool:1`], { stdio: 'ignore' });
    } catch {
      // Never pulled.
    }
  });

  it('gives images that name no registry, and its password to nobody', async () => {
    const text = `type: task\nname: tool\nimage: team/tool:1\ncommands: [cat /pulled, env]\n${SMALL}\n`;
    const { stdout, stderr, code } = await stack.cli(['apply', '-y', '-f', stack.file('tool', text)]);
    expect(stdout).toContain(content);
    expect(code).toBe(0);
    const told = JSON.stringify(await stack.api('/api/project/main/runs/get', { run_name: 'tool' }));
    expect(told + stdout + stderr + stack.serverLog()).not.toContain(REGISTRY_PASSWORD);
  });
});
