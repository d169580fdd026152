import { onboardHost } from '../src/hosts.js';
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
});
