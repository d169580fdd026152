import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { freePort } from '../src/free-port.js';
import { isFullRun } from '../src/full-run.js';
import { agentFolder, canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const run = promisify(execFile);
const why = whyNoTestHosts() ?? (canRunContainers() ? null : 'no container engine');
if (why !== null) console.warn(`Attaching to jobs on other hosts is left out: ${why}`);
const inFull = isFullRun ? it : it.skip;

/** Says the word to whoever connects. */
const serve = (port: number, word: string) =>
  `perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => ${port}, ReuseAddr => 1) or die $!; while ($c = $l->accept) { print $c "${word}"; close $c }'`;

(why === null ? describe : describe.skip)('attached to runs on hosts reached by SSH', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  const stack = new Stack({ DSTACK_SERVER_AGENT_DIR: agents });
  let network: TestNetwork;
  let bare: TestHost;
  let boxes: TestHost;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    network = await createTestNetwork();
    [bare, boxes] = await Promise.all([
      network.host({ name: 'bare' }),
      network.host({ name: 'boxes', dockerImages: [TEST_IMAGE] }),
      stack.start(),
    ]);
    const hosts = [bare, boxes].map(
      ({ address, user, identityFile }) =>
        `    - {hostname: ${address}, user: ${user}, identity_file: ${identityFile}}`,
    );
    stack.file('lab', `type: fleet\nname: lab\nssh_config:\n  hosts:\n${hosts.join('\n')}\n`);
    const applied = await stack.cli(['apply', '-y', '-f', 'lab.dstack.yml']);
    if (applied.code !== 0) throw new Error(applied.stderr);
  }, 120_000);
  afterAll(async () => {
    await stack.close();
    await network.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const config = () => join(stack.home, '.dstack/ssh/config');
  const ssh = (name: string, command: string) => run('ssh', ['-F', config(), name, command], { timeout: 20_000 });
  const heard = (port: number) =>
    stack.until(`port ${port}`, async () => {
      const call = `$s = IO::Socket::INET->new("127.0.0.1:${port}") and print <$s>`;
      const { stdout } = await run('perl', ['-MIO::Socket::INET', '-e', call]);
      return stdout !== '' && stdout;
    });
  const attach = async (name: string) => {
    const command = stack.startCli(['attach', name]);
    await Promise.race([
      stack.until('the attachment', () => Promise.resolve(command.output().includes('Ctrl+C detaches'))),
      command.done.then((end) => Promise.reject(new Error(JSON.stringify(end)))),
    ]);
    return command;
  };
  /** A dev environment on one of the hosts, with a port and the server in reach. */
  const start = async (name: string, on: TestHost, rest: string) => {
    const [inside, outside] = [await freePort(), await freePort()];
    stack.file(
      name,
      `type: dev-environment
name: ${name}
ide: zed
dstack: true
ports: ["${outside}:${inside}"]
init: ["${serve(inside, `from ${name}`).replaceAll('"', '\\"')} &"]
instances: [{hostname: ${on.address}}]
${rest}
${SMALL}
`,
    );
    expect(await stack.cli(['apply', '-y', '-d', '-f', `${name}.dstack.yml`])).toMatchObject({ code: 0 });
    return outside;
  };
  const info = `perl -MIO::Socket::UNIX -e '$p = $ENV{DSTACK_SERVER_URL}; $p =~ s,http.unix://,,; $p =~ s,%2F,/,g; $s = IO::Socket::UNIX->new($p) or die $!; print $s "POST /api/server/get_info HTTP/1.0\\r\\nContent-Length: 0\\r\\n\\r\\n"; print while <$s>'`;

  it.each([
    ['a process', 'plain', () => bare, ''],
    ['a container', 'boxed', () => boxes, `image: ${TEST_IMAGE}`],
  ])('%s is entered through its host, and the key opens nothing else there', async (_what, name, on, rest) => {
    const port = await start(name, on(), rest);
    const command = await attach(name);
    expect(command.output()).toMatch(new RegExp(`Zed: zed://ssh/${name}/`));
    expect(await heard(port)).toBe(`from ${name}`);
    expect((await ssh(name, 'echo "in $DSTACK_RUN_NAME"')).stdout).toBe(`in ${name}\n`);
    expect((await ssh(name, info)).stdout).toContain('server_version');
    writeFileSync(join(stack.work, 'file'), name);
    await run('scp', ['-q', '-F', config(), join(stack.work, 'file'), `${name}:copied`]);
    writeFileSync(join(stack.work, 'batch'), `get copied ${stack.work}/${name}-back\n`);
    await run('sftp', ['-q', '-F', config(), '-b', join(stack.work, 'batch'), name]);
    expect(readFileSync(join(stack.work, `${name}-back`), 'utf8')).toBe(name);

    await expect(ssh(`${name}-host`, 'id')).rejects.toThrow();
    await expect(run('ssh', ['-F', config(), '-o', 'ExitOnForwardFailure=yes', '-W', 'localhost:22', `${name}-host`], { timeout: 10_000 })).rejects.toThrow(); // prettier-ignore
    expect(await on().run('cat /var/lib/dstack-door/.ssh/authorized_keys')).toContain('restrict,');
    await stack.cli(['stop', '-x', name, '-y']);
    expect((await command.done).stderr).toContain(`Run ${name}: `);
    await stack.until('the key to be gone', async () => !(await on().run('cat /var/lib/dstack-door/.ssh/authorized_keys')).includes('restrict,')); // prettier-ignore
  });

  inFull('a network that is gone for half a minute is survived, with a notice', async () => {
    const port = await start('patient', bare, '');
    const command = await attach('patient');
    expect(await heard(port)).toBe('from patient');
    await bare.cut();
    await stack.until('the notice', () => Promise.resolve(command.errors().includes('is lost')), 45_000);
    await bare.mend();
    await stack.until('the reconnection', () => Promise.resolve(command.errors().includes('again.')), 30_000);
    expect(await heard(port)).toBe('from patient');
    command.child.kill('SIGINT');
    expect((await command.done).code).toBe(0);
    await stack.cli(['stop', '-x', 'patient', '-y']);
  });
});
