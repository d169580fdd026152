import { existsSync } from 'node:fs';
import { ensureAgent, onboardHost, removeAgent } from '../src/hosts.js';
import { eventually } from './support/eventually.js';
import { agentOf, describeOnHosts, HostFixture, PATHS } from './support/host-fixture.js';

describeOnHosts('a host is made ready', () => {
  let fixture: HostFixture;

  beforeAll(async () => {
    fixture = await HostFixture.make();
    await fixture.bundle();
  });
  afterAll(async () => {
    await fixture.remove();
  });

  it('as root, and the second time without an upload', async () => {
    const host = await fixture.host({ name: 'fresh' });
    const first = await fixture.onboarding(host);
    const onboarded = await onboardHost(first);
    expect(onboarded).toMatchObject({
      agentSocketPath: PATHS.socket,
      info: { service: 'dstack-agent', host: { hostname: 'fresh' } },
    });
    expect(first.steps.slice(0, 2)).toEqual(['check', 'upload 0 %']);
    expect(first.steps.slice(-3)).toEqual(['upload 100 %', 'start without systemd', 'inspect']);

    const agents = await host.pids('agent.cjs host');
    const second = await fixture.onboarding(host, {
      bundle: async () => ({
        ...(await fixture.bundle()),
        open: () => {
          throw new Error('it is there');
        },
      }),
    });
    await expect(onboardHost(second)).resolves.toMatchObject({ info: { agentId: onboarded.info.agentId } });
    expect(second.steps).toEqual(['check', 'inspect']);
    await expect(host.pids('agent.cjs host')).resolves.toEqual(agents);
  });

  it('as a user with sudo, who alone may open the socket beside root, and nothing else of the agent', async () => {
    const host = await fixture.host({ name: 'with-sudo', user: 'ops' });
    await host.run("useradd --create-home other; echo 'echo welcome; echo careful >&2' >> /home/ops/.bashrc");
    await host.run("printf 'NOISY BANNER\\n' > /etc/banner");
    await host.configureSshd(['Banner /etc/banner']);
    const request = await fixture.onboarding(host);
    const { info } = await onboardHost(request);
    expect(info.runtimes).toMatchObject({ process: { detail: 'an uid per job' }, container: { available: false } });
    const client = agentOf(request.connection);
    await expect(client.desire([], request.signal)).resolves.toEqual({ missing: [] });
    client.close();
    await expect(host.run(`stat -c '%U %a' ${PATHS.socket} ${PATHS.state} ${PATHS.env}`)).resolves.toBe(
      'ops 600\nroot 711\nroot 600\n',
    );
    const readable = await host.run(
      `su other -s /bin/sh -c 'ls ${PATHS.state} 2>/dev/null; cat ${PATHS.state}/* 2>/dev/null || :'`,
    );
    expect(readable).toBe('');
  });

  it('after an upload that was interrupted, of which nothing stays', async () => {
    const host = await fixture.host({ name: 'interrupted', user: 'ops' });
    const unwanted = new AbortController();
    const request = await fixture.onboarding(host, {
      signal: unwanted.signal,
      onProgress: (_step, detail) => {
        if (detail === '20 %') unwanted.abort(new Error('no longer wanted'));
      },
    });
    await expect(onboardHost(request)).rejects.toThrow('no longer wanted');
    await eventually(async () => (await host.run('ls -A /usr/local/lib/dstack/agent')) === '');
    await onboardHost(await fixture.onboarding(host));
    await expect(host.run('ls -A /usr/local/lib/dstack/agent')).resolves.toMatch(/^[0-9a-f]{16}\n$/);
  });

  it('or not, and then no longer than the caller wants to wait', async () => {
    const host = await fixture.host({ name: 'cut' });
    const request = await fixture.onboarding(host);
    await host.cut();
    const startedAt = performance.now();
    await expect(onboardHost({ ...request, signal: AbortSignal.timeout(500) })).rejects.toThrow('timeout');
    await expect(ensureAgent({ ...request, signal: AbortSignal.timeout(500) })).rejects.toThrow('timeout');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  (existsSync('/usr/bin/busybox') ? it : it.skip)('with busybox alone', async () => {
    const host = await fixture.host({ name: 'busy', user: 'ops' });
    const used =
      'sh grep sed df tr cat ls head tail wc basename dirname readlink id uname date tar gzip mkdir rmdir rm mv ln chmod sleep sha256sum env setsid timeout';
    await host.run(`for each in ${used}; do ln -s /usr/bin/busybox /usr/local/bin/$each; done`);
    await expect(host.run('sh --help 2>&1; tar --help 2>&1')).resolves.toMatch(/BusyBox[^]*BusyBox/);
    const request = await fixture.onboarding(host);
    await expect(onboardHost(request)).resolves.toMatchObject({ info: { host: { hostname: 'busy' } } });
    const again = await fixture.onboarding(host);
    await onboardHost(again);
    expect(again.steps).toEqual(['check', 'inspect']);
    await removeAgent(request);
    await expect(host.run('ls -d /var/lib/dstack /usr/local/lib/dstack 2>/dev/null || :')).resolves.toBe('');
  });

  it('under systemd where it runs', async () => {
    const host = await fixture.host({ name: 'with-systemd' });
    await host.run(
      `mkdir -p /run/systemd/system; cat > /usr/local/bin/systemctl; chmod 755 /usr/local/bin/systemctl`,
      SYSTEMCTL,
    );
    const request = await fixture.onboarding(host);
    await onboardHost(request);
    expect(request.steps).toContain('start systemd');
    await expect(host.run('cat /var/log/systemctl')).resolves.toBe(
      `daemon-reload\nenable --quiet ${PATHS.unit}\nrestart ${PATHS.unit}\n`,
    );
    await expect(host.pids(PATHS.loop)).resolves.toEqual([]);
    const again = await fixture.onboarding(host, { env: { no_proxy: 'localhost' } });
    await onboardHost(again);
    expect(again.steps).toEqual(['check', 'start systemd', 'inspect']);
    await host.run(`: > /var/log/systemctl; kill "$(cat ${PATHS.state}/agent.pid | cut -d' ' -f1)"`);
    await eventually(async () => (await host.pids('agent.cjs host')).length === 0);
    await ensureAgent(again);
    await expect(host.run('cat /var/log/systemctl')).resolves.toContain(`start ${PATHS.unit}\n`);
    await removeAgent(again);
    await expect(
      host.run(`ls ${PATHS.unitFile} ${PATHS.state} 2>/dev/null || tail -n 2 /var/log/systemctl`),
    ).resolves.toBe(`disable --quiet --now ${PATHS.unit}\ndaemon-reload\n`);
    await expect(host.pids('agent.cjs host')).resolves.toEqual([]);
  });
});

/** Does for one unit what the real one does, and writes down what it was asked for. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> /var/log/systemctl
end() { while kill -0 "$(cat /run/unit.pid)"; do kill "$(cat /run/unit.pid)"; sleep 0.05; done 2>/dev/null; }
begin() { setsid sh -c "exec $(sed -n 's/^ExecStart=//p' "/etc/systemd/system/$1")" </dev/null >/dev/null 2>&1 & echo $! > /run/unit.pid; }
case $1 in
  restart) end; begin "$2" ;;
  start) kill -0 "$(cat /run/unit.pid)" 2>/dev/null || begin "$2" ;;
  disable) end ;;
esac
`;
