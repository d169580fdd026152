import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFullRun } from '../src/full-run.js';
import { canRunContainers, cliProgram, node, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

/** Fields of a run whose effect shows only in a real job; each by one short run. */
const inFull = isFullRun ? it : it.skip;
const inContainers = canRunContainers() ? it : it.skip;

interface Submission {
  readonly exit_status: number | null;
  readonly termination_reason: string | null;
  readonly submitted_at: string;
}
interface Run {
  readonly status: string;
  readonly submitted_at: string;
  readonly next_triggered_at: string | null;
  readonly run_spec: { readonly configuration: { readonly env: Record<string, string> } };
  readonly jobs: readonly {
    readonly job_spec: { readonly job_num: number };
    readonly job_submissions: readonly Submission[];
  }[];
}

describe('the run language on one machine', () => {
  const stack = new Stack();
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  const file = (name: string, text: string) => stack.file(name, `name: ${name}\n${text}\n`);
  const apply = (name: string, ...more: string[]) => stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`, ...more]);
  const logs = async (name: string, job = 0) =>
    (await stack.cli(['logs', name, '--job', String(job)])).stdout.replaceAll('\r', '');
  const get = (name: string) => stack.api<Run>('/api/project/main/runs/get', { run_name: name });
  const ended = (name: string, limitMs?: number) =>
    stack.until(`${name} to end`, async () => {
      const run = await get(name);
      return ['done', 'failed', 'terminated'].includes(run.status) && run;
    }, limitMs); // prettier-ignore

  /** A folder jobs may write to: they have a user of their own. */
  const sharedFolder = (name: string) => {
    const folder = join(stack.work, name);
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    chmodSync(stack.work, 0o711);
    return folder;
  };

  describe('nodes', () => {
    it('know each other by rank, and the run ends as the node that failed', async () => {
      const marks = sharedFolder('nodes');
      file(
        'two',
        `type: task
nodes: 2
commands:
  - echo "rank $DSTACK_NODE_RANK of $DSTACK_NODES_NUM, master $DSTACK_MASTER_NODE_IP, all $(echo $DSTACK_NODES_IPS)"
  - touch ${marks}/$DSTACK_NODE_RANK
  - if [ $DSTACK_NODE_RANK = 1 ]; then until [ -e ${marks}/0 ]; do sleep 0.1; done; exit 42; fi
  - sleep 600
${SMALL}`,
      );
      const result = await apply('two');
      expect(result.stderr).toContain('exited (42), job=1');
      expect(result.stderr).toContain('dstack logs -d two --job 1');
      expect(result.code).toBe(42);
      expect(await logs('two', 0)).toContain('rank 0 of 2, master 127.0.0.1, all 127.0.0.1 127.0.0.1');
      expect(await logs('two', 1)).toContain('rank 1 of 2');
    });

    it('of groups have their own commands, and the addresses of the others', async () => {
      file(
        'grouped',
        `type: task
startup_order: workers-first
stop_criteria: master-done
groups:
  - {name: head, commands: ["echo 'head sees \${{ groups[1].nodes[0].IP_ADDRESS }} and $\${{ this }}'"], ${SMALL}}
  - {name: workers, commands: ['echo "worker sees \${{ groups[0].nodes[0].IP_ADDRESS }}"; sleep 120'], ${SMALL}}`,
      );
      const result = await apply('grouped');
      expect(result.stdout).toContain('head sees 127.0.0.1 and ${{ this }}');
      expect(result.code).toBe(0);
      expect(await logs('grouped', 1)).toContain('worker sees 127.0.0.1');
      const run = await get('grouped');
      expect(run.jobs.map((job) => job.job_submissions.at(-1)?.termination_reason)).toEqual(['done_by_runner', 'done_by_runner']); // prettier-ignore
    });
  });

  it('a run that fails is retried, and what it printed before is kept', async () => {
    const marks = sharedFolder('marks');
    file(
      'again',
      `type: task
retry: {on_events: [error], duration: 10m}
commands:
  - if [ ! -e ${marks}/seen ]; then touch ${marks}/seen; echo first; exit 3; fi
  - echo second
${SMALL}`,
    );
    const result = await apply('again');
    expect(result.stdout).toMatch(/first[\s\S]*second/);
    expect(result.code).toBe(0);
    const [job] = (await get('again')).jobs;
    expect(job?.job_submissions.map((each) => [each.exit_status, each.termination_reason])).toEqual([
      [3, 'container_exited_with_error'],
      [0, 'done_by_runner'],
    ]);
  });

  it('a run that is not to be retried for errors is not', async () => {
    file('once', `type: task\nretry: {on_events: [no-capacity]}\ncommands: [exit 5]\n${SMALL}`);
    expect((await apply('once')).code).toBe(5);
  });

  it('a dev environment nobody uses is stopped', async () => {
    file('unused', `type: dev-environment\ninactivity_duration: 3s\n${SMALL}`);
    await apply('unused', '-d');
    const run = await ended('unused', 60_000);
    expect(run.jobs[0]?.job_submissions.at(-1)?.termination_reason).toBe('inactivity_duration_exceeded');
  });

  const callers: [string, string, (socket: string) => string][] = [
    ['as a process', '', (socket: string) => `DSTACK_TOKEN=$TOKEN ${node} ${cliProgram} ps && ls -l ${socket}`],
    [
      'in a container',
      `image: ${TEST_IMAGE}\nuser: nobody`,
      () =>
        `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/run/dstack/server.sock") or die $!; print $s "POST /api/runs/list HTTP/1.0\\r\\nAuthorization: Bearer $ENV{TOKEN}\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}"; print while <$s>'`,
    ],
  ];
  it.each(callers.filter(([, image]) => image === '' || canRunContainers()))(
    'a run with dstack: true reaches the server %s',
    async (place, image, call) => {
      const name = place === 'as a process' ? 'inside' : 'inside-box';
      file(
        name,
        `type: task
dstack: true
env: {TOKEN: '$\{{ secrets.token }}'}
${image}
commands:
  - echo "at $DSTACK_SERVER_URL, project $DSTACK_PROJECT"
  - |
    ${call('"$(echo $DSTACK_SERVER_URL | sed -e s,http+unix://,, -e s,%2F,/,g)"')}
${SMALL}`,
      );
      await stack.cli(['secret', 'set', 'token', stack.token]);
      const result = await apply(name);
      expect(result.stderr).toContain('Exited (0)');
      expect(result.stdout).toMatch(/at http\+unix:\/\/%2F.*server\.sock, project main/);
      expect(result.stdout).toMatch(new RegExp(`${name}.*running|"run_name":"${name}"`));
      expect(result.code).toBe(0);
    },
  );

  it('values of a run are for its owner', async () => {
    const member = await stack
      .api('/api/users/create', { username: 'mate', global_role: 'user' })
      .then(() => stack.api<{ creds: { token: string } }>('/api/users/get_user', { username: 'mate' }));
    await stack.api('/api/projects/main/add_members', { members: [{ username: 'mate', project_role: 'admin' }] });
    file('private', `type: task\nenv: {KEY: for-me-only}\ncommands: [echo ok]\n${SMALL}`);
    await apply('private');
    expect((await get('private')).run_spec.configuration.env).toEqual({ KEY: 'for-me-only' });
    const seen = await stack.api<Run>('/api/project/main/runs/get', { run_name: 'private' }, member.creds.token);
    expect(seen.run_spec.configuration.env).toEqual({ KEY: '********' });
    const json = await stack.cli(['run', 'get', 'private', '--json'], { token: member.creds.token });
    expect(json.stdout).not.toContain('for-me-only');
  });

  inContainers('a container has the user, directory, shell, memory and mounts that were asked for', async () => {
    const shared = sharedFolder('shared');
    writeFileSync(join(shared, 'given.txt'), 'from the host\n');
    file(
      'boxed',
      `type: task
image: ${TEST_IMAGE}
user: 1234:4321
working_dir: /srv/work
shell: bash
volumes:
  - ${shared}:/shared
  - {instance_path: ${stack.work}/made, path: /made, optional: true}
env: [A=1]
commands:
  - 'echo "user $(id -u):$(id -g) in $PWD with $0 \${BASH_VERSION:+bash} A=$A"'
  - 'echo "shm $(df -k /dev/shm | tail -1 | awk "{print \\$2}")"'
  - cat /shared/given.txt && echo back > /shared/back.txt && touch /made/here && echo mounted
resources: {cpu: 1.., memory: 128MB.., disk: 1GB.., shm_size: 96MB}`,
    );
    const { stdout, code } = await apply('boxed');
    expect(stdout).toContain('user 1234:4321 in /srv/work with /bin/bash bash A=1');
    expect(stdout).toContain('shm 98304');
    expect(stdout).toMatch(/from the host[\s\S]*mounted/);
    expect(code).toBe(0);
    // What it wrote there is for whoever comes next.
    expect(readFileSync(join(shared, 'back.txt'), 'utf8')).toBe('back\n');
    expect(existsSync(join(stack.work, 'made', 'here'))).toBe(true);
  });

  inContainers('an entrypoint takes the commands as its arguments', async () => {
    file('pointed', `type: task\nimage: ${TEST_IMAGE}\nentrypoint: "printf '<%s>'"\ncommands: ['a b', '$HOME']\n${SMALL}`); // prettier-ignore
    expect((await apply('pointed')).stdout).toContain('<a b><$HOME>');
  });

  inFull(
    'a scheduled run fires at its minute, and again at the next',
    async () => {
      file('minutely', `type: task\nschedule: {cron: "* * * * *"}\ncommands: [date +%s]\n${SMALL}`);
      expect((await apply('minutely', '-d')).code).toBe(0);
      expect((await get('minutely')).next_triggered_at).not.toBeNull();
      const twice = await stack.until('two fires', async () => {
      const run = await get('minutely');
      const done = run.jobs[0]?.job_submissions.filter((each) => each.exit_status === 0) ?? [];
      return done.length >= 2 && done;
    }, 150_000); // prettier-ignore
      const [first = 0, second = 0] = twice.map((each) => Date.parse(each.submitted_at));
      expect(first % 60_000).toBeLessThan(10_000);
      expect(Math.round((second - first) / 60_000)).toBe(1);
      await stack.cli(['stop', 'minutely', '-y']);
      expect((await ended('minutely')).status).toBe('terminated');
    },
    240_000,
  );
});
