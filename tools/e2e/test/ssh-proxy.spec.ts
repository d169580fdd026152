import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Wire } from '@dstack/core';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import type { RunningCommand } from '../src/command.js';
import { freePort } from '../src/free-port.js';
import { agentFolder } from '../src/programs.js';
import { SshProxy } from '../src/ssh-proxy.js';
import { SMALL, Stack } from '../src/stack.js';

const run = promisify(execFile);
const why = whyNoTestHosts();
if (why !== null) console.warn(`Jobs on other hosts behind an SSH proxy are left out: ${why}`);

const TOKEN = 'of-the-proxy';
/** Says the word to whoever connects. */
const serve = (port: number, word: string) =>
  `perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => ${port}, ReuseAddr => 1) or die $!; while ($c = $l->accept) { print $c "${word}"; close $c }'`;
const QUIET = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR']; // prettier-ignore

describe('where an SSH proxy is enforced', () => {
  const agents = mkdtempSync(join(tmpdir(), 'dstack-agents-'));
  const attached: RunningCommand[] = [];
  let stack: Stack;
  let proxy: SshProxy;
  let network: TestNetwork | undefined;
  let host: TestHost | undefined;

  beforeAll(async () => {
    cpSync(agentFolder, join(agents, 'folder'), { recursive: true });
    const port = await freePort();
    stack = new Stack({
      DSTACK_SERVER_AGENT_DIR: agents,
      DSTACK_SSHPROXY_API_TOKEN: TOKEN,
      DSTACK_SERVER_SSHPROXY_ADDRESS: `127.0.0.1:${port}`,
      DSTACK_SERVER_SSHPROXY_ENFORCED: '1',
    });
    proxy = await SshProxy.start({ port, token: TOKEN, serverUrl: () => stack.url });
    await stack.start();
    if (why !== null) return;
    network = await createTestNetwork();
    host = await network.host({ name: 'bare' });
  }, 120_000);
  afterAll(async () => {
    for (const command of attached) command.child.kill('SIGKILL');
    await stack.close();
    await proxy.stop();
    await network?.remove();
    rmSync(agents, { recursive: true, force: true });
  });

  const config = () => join(stack.home, '.dstack/ssh/config');
  const running = async (name: string): Promise<{ id: string }> =>
    stack.until(`${name} to run`, async () => {
      const { jobs } = await stack.api<Wire.Run>('/api/project/main/runs/get', { run_name: name });
      const submission = jobs[0]?.job_submissions.at(-1);
      return submission?.status === 'running' && { id: submission.id };
    }, 60_000); // prettier-ignore
  const start = async (name: string, place: string) => {
    const [inside, outside] = [await freePort(), await freePort()];
    const init = JSON.stringify(`${serve(inside, `from ${name}`)} &`);
    const text = `type: dev-environment\nname: ${name}\nide: vscode\nports: ["${outside}:${inside}"]\ninit: [${init}]\n${place}\n${SMALL}\n`;
    expect(await stack.cli(['apply', '-y', '-d', '-f', stack.file(name, text)])).toMatchObject({ code: 0 });
    return { ...(await running(name)), outside };
  };
  const attach = async (name: string) => {
    const command = stack.startCli(['attach', name]);
    attached.push(command);
    await Promise.race([
      stack.until('the attachment', () => Promise.resolve(command.output().includes('Ctrl+C detaches'))),
      command.done.then((end) => Promise.reject(new Error(JSON.stringify(end)))),
    ]);
  };
  const throughProxy = (key: string, id: string, command = 'echo "in $DSTACK_RUN_NAME"') =>
    run('ssh', [...QUIET, '-i', key, '-p', String(proxy.port), `${id}@127.0.0.1`, command], { timeout: 20_000 });
  const newKey = (name: string): string => {
    const file = join(stack.work, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
    return file;
  };
  /** The key that `attach` uses. */
  const identity = (): string => /IdentityFile "?([^"\n]+)/.exec(readFileSync(config(), 'utf8'))?.[1] ?? '';

  it('people reach a job through it only, with the keys that the server knows of them', async () => {
    const { id, outside } = await start('near', '');
    await attach('near');
    expect((await run('ssh', ['-F', config(), 'near', 'echo "in $DSTACK_RUN_NAME"'], { timeout: 20_000 })).stdout).toBe('in near\n'); // prettier-ignore
    expect(proxy.asked).toContain(id);
    const heard = await stack.until('its port', async () => {
      const call = `$s = IO::Socket::INET->new("127.0.0.1:${outside}") and print <$s>`;
      const { stdout } = await run('perl', ['-MIO::Socket::INET', '-e', call]);
      return stdout !== '' && stdout;
    });
    expect(heard).toBe('from near');

    // The same key does not open the job itself.
    const { hosts } = await proxy.upstream(id);
    const { port, user } = hosts.at(-1) ?? { port: 0, user: '' };
    expect((await throughProxy(identity(), id)).stdout).toBe('in near\n');
    await expect(run('ssh', [...QUIET, '-i', identity(), '-p', String(port), `${user}@127.0.0.1`, 'id'], { timeout: 20_000 })).rejects.toThrow(/Permission denied/); // prettier-ignore

    const own = newKey('own');
    await expect(throughProxy(own, id)).rejects.toThrow(/Permission denied/);
    expect(await stack.cli(['ssh-key', 'add', `${own}.pub`])).toMatchObject({ code: 0 });
    expect((await throughProxy(own, id)).stdout).toBe('in near\n');
    await expect(throughProxy(own, id, 'exit 7')).rejects.toMatchObject({ code: 7 });
    await expect(throughProxy(own, id.replaceAll(/[0-9a-f]/g, '0'))).rejects.toThrow(/Permission denied/);
    expect(await stack.cli(['ssh-key', 'delete', 'own', '-y'])).toMatchObject({ code: 0 });
    await expect(throughProxy(own, id)).rejects.toThrow(/Permission denied/);
    await stack.cli(['stop', '-x', 'near', '-y']);
  }, 120_000);

  (why === null ? it : it.skip)(
    'a host of theirs has no key of people, and jobs on it are reached',
    async () => {
      if (host === undefined) throw new Error('no host');
      const { address, user, identityFile } = host;
      const lab = `ssh_config:\n  hosts:\n    - {hostname: ${address}, user: ${user}, identity_file: ${identityFile}}`;
      const applied = await stack.cli(['apply', '-y', '-f', stack.file('lab', `type: fleet\nname: lab\n${lab}\n`)]);
      if (applied.code !== 0) throw new Error(applied.stderr);
      const { id } = await start('far', `instances: [{hostname: ${host.address}}]`);
      await attach('far');
      expect((await run('ssh', ['-F', config(), 'far', 'echo "in $DSTACK_RUN_NAME"'], { timeout: 20_000 })).stdout).toBe('in far\n'); // prettier-ignore
      const { hosts } = await proxy.upstream(id);
      expect(hosts.map(({ host: name }) => name)).toEqual([host.address, '127.0.0.1']);
      const publicKey = execFileSync('ssh-keygen', ['-y', '-f', identity()], { encoding: 'utf8' }).split(' ')[1] ?? '';
      expect(publicKey).toMatch(/^AAAA/);
      const keys = await host.run(
        'cat /var/lib/dstack-door/.ssh/authorized_keys /root/.ssh/authorized_keys 2>/dev/null; true',
      );
      expect(keys).not.toContain(publicKey);
      await expect(run('ssh', [...QUIET, '-i', identity(), `dstack-door@${host.address}`, 'id'], { timeout: 20_000 })).rejects.toThrow(/Permission denied/); // prettier-ignore
      await stack.cli(['stop', '-x', 'far', '-y']);
    },
    120_000,
  );
});
