import type { Wire } from '@dstack/core';
import { fleetFailure } from '../src/apply/await-fleet.js';
import { chooseResourceAction, type ResourceChange } from '../src/apply/resource-change.js';
import { fleetChanges } from '../src/render/fleet-changes.js';
import { fleetsTable } from '../src/render/fleets-table.js';
import { instanceLines } from '../src/render/instance-lines.js';
import { visibleLines } from '../src/terminal/progress-lines.js';
import { renderChanges } from '../src/render/spec-diff.js';
import { processContext } from '../src/terminal/context.js';
import { PLAIN_STYLE } from '../src/terminal/style.js';
import { wrapText } from '../src/terminal/wrap.js';

const AT = '2026-01-02T03:04:05Z';
const now = Date.parse('2026-01-02T03:06:05Z');
const gpus = (count: number) => Array<Wire.Gpu>(count).fill({ name: 'A100', memory_mib: 81_920, vendor: 'nvidia' });
const type = (count: number): Wire.InstanceType => ({
  name: 'instance',
  resources: { cpus: 64, memory_mib: 524_288, gpus: gpus(count), spot: false },
});

type Told = { progress?: string; last_error?: string; health_incidents?: string[] };
function host(instance_num: number, changes: Partial<Wire.Instance> & Told = {}): Wire.Instance & Told {
  return {
    id: `i${instance_num}`,
    project_name: 'main',
    name: `lab-${instance_num}`,
    fleet_name: 'lab',
    instance_num,
    backend: 'remote',
    region: 'remote',
    hostname: `10.0.0.${instance_num}`,
    status: 'idle',
    created: AT,
    price: 0,
    instance_type: type(8),
    ...changes,
  };
}

function fleet(instances: Wire.Instance[], configuration: Partial<Wire.FleetConfiguration> = {}): Wire.Fleet {
  const ssh_config = { hosts: instances.map((each) => each.hostname ?? '') };
  return {
    id: 'f',
    name: 'lab',
    project_name: 'main',
    spec: { configuration: { type: 'fleet', name: 'lab', ssh_config, ...configuration }, profile: {} },
    created_at: AT,
    status: 'active',
    instances,
  };
}

const waiting = { status: 'pending', instance_type: null } as const;
const lab = fleet(
  [
    host(0, { status: 'busy', total_blocks: 8, busy_blocks: 2, gpu_driver: { vendor: 'nvidia', version: '550.54' } }),
    host(1, { unreachable: true, last_error: '10.0.0.1 does not answer' }),
    host(2, { health_status: 'failure', health_incidents: ['GPU 3 has fallen off the bus (XID 79)'] }),
    host(3, { ...waiting, progress: 'uploading the agent, 40 %', last_error: 'u@10.0.0.3 refused the connection' }),
    host(4, {
      status: 'terminated',
      instance_type: null,
      termination_reason: 'error',
      termination_reason_message: 'u@10.0.0.4 has no passwordless sudo. Add "u ALL=(ALL) NOPASSWD: ALL" to its sudoers',
    }),
  ],
  { placement: 'cluster' },
);
const table = (width: number, verbose: boolean) =>
  `\n${fleetsTable([lab], { style: PLAIN_STYLE, width, nowMs: now, verbose, project: 'main' })}\n`;

it('lists hosts with their state, and below what is wrong with those that cannot be used', () => {
  expect(table(90, false)).toMatchInlineSnapshot(`
   "
    NAME           NODES  GPU              BACKEND       STATUS              CREATED
    lab            5                       ssh           active              2 mins ago
       instance=0         gpu=A100:80GB:8  ssh (remote)  2/8 busy            2 mins ago
       instance=1         gpu=A100:80GB:8  ssh (remote)  idle (unreachable)  2 mins ago
       instance=2         gpu=A100:80GB:8  ssh (remote)  idle (failure)      2 mins ago
       instance=3         -                ssh (remote)  pending             2 mins ago
         uploading the agent, 40 %
         last try: u@10.0.0.3 refused the connection
       instance=4         -                ssh (remote)  terminated          2 mins ago
         u@10.0.0.4 has no passwordless sudo. Add "u ALL=(ALL) NOPASSWD: ALL" to its sudoers
   "
  `);
  for (const line of table(90, false).split('\n')) expect(line.length).toBeLessThanOrEqual(90);
});

it('shows a machine that does not go with its price and what its cloud says', () => {
  const cloud = { backend: 'aws', region: 'eu', hostname: null, price: 3.2 } as const;
  const stuck = host(0, {
    ...cloud,
    status: 'terminating',
    last_error: 'UnauthorizedOperation: ec2:TerminateInstances',
  });
  const text = fleetsTable([fleet([stuck])], { style: PLAIN_STYLE, width: 100, nowMs: now, project: 'main' });
  expect(text).toMatch(
    /instance=0 .*aws \(eu\) +\$3\.2 +terminating .*\n {6}UnauthorizedOperation: ec2:TerminateInstances/,
  );
});

it('lists more when asked for more', () => {
  expect(table(140, true)).toMatchInlineSnapshot(`
   "
    NAME                    NODES        RESOURCES                         DRIVER  BACKEND       STATUS              CREATED     ERROR
    lab                     5 (cluster)                                            ssh           active              2 mins ago
       instance=0 10.0.0.0               cpu=64 mem=512GB gpu=A100:80GB:8  550.54  ssh (remote)  2/8 busy            2 mins ago
       instance=1 10.0.0.1               cpu=64 mem=512GB gpu=A100:80GB:8          ssh (remote)  idle (unreachable)  2 mins ago
         10.0.0.1 does not answer
       instance=2 10.0.0.2               cpu=64 mem=512GB gpu=A100:80GB:8          ssh (remote)  idle (failure)      2 mins ago
         GPU 3 has fallen off the bus (XID 79)
       instance=3 10.0.0.3                                                         ssh (remote)  pending             2 mins ago
         uploading the agent, 40 %
         last try: u@10.0.0.3 refused the connection
       instance=4 10.0.0.4                                                         ssh (remote)  terminated          2 mins ago  error
         u@10.0.0.4 has no passwordless sudo. Add "u ALL=(ALL) NOPASSWD: ALL" to its sudoers
   "
  `);
});

it('has a line for each instance that is waited for', () => {
  const cloud = { backend: 'aws', region: 'eu', hostname: null, instance_type: null } as const;
  const lines = instanceLines({
    ...lab,
    instances: [
      ...lab.instances,
      host(5, { status: 'terminating' }),
      host(6, { ...cloud, status: 'provisioning' }),
    ].reverse(),
  });
  expect(lines.map(({ text, isSettled }) => `${isSettled ? '=' : '~'} ${text}`)).toEqual([
    '= lab-0 (10.0.0.0): ready',
    '= lab-1 (10.0.0.1): ready',
    '= lab-2 (10.0.0.2): ready',
    '~ lab-3 (10.0.0.3): uploading the agent, 40 %; last try: u@10.0.0.3 refused the connection',
    '= lab-4 (10.0.0.4): cannot be used: u@10.0.0.4 has no passwordless sudo. Add "u ALL=(ALL) NOPASSWD: ALL" to its sudoers',
    '~ lab-5 (10.0.0.5): being removed',
    '~ lab-6: provisioning, aws (eu)',
  ]);
});

it('names the hosts that failed and what to do, and nothing when all are well', () => {
  const failure = fleetFailure(lab);
  expect(failure?.message).toBe(
    'Fleet lab: 1 of 5 hosts cannot be used\n  lab-4 (10.0.0.4): u@10.0.0.4 has no passwordless sudo. Add "u ALL=(ALL) NOPASSWD: ALL" to its sudoers',
  );
  expect(failure?.hint).toContain('The others stay as they are');
  expect(failure?.exitCode).toBe(1);
  expect(fleetFailure(fleet([host(0)]))).toBeUndefined();
  const cloud = fleet([], { ssh_config: null, nodes: { min: 2, max: 4 } });
  expect(fleetFailure(cloud)?.message).toBe('Fleet lab has 0 of 2 nodes. It goes on trying.');
  expect(fleetFailure({ ...cloud, instances: [host(0), host(1)] })).toBeUndefined();
});

it('shows what goes on before what is settled when there is no room for all', () => {
  const line = (key: string, isSettled: boolean) => ({ key, text: key, isSettled });
  const lines = [line('a', true), line('b', false), line('c', true), line('d', false)];
  const shown = (rows: number) => visibleLines(lines, rows).map(({ text }) => text);
  expect(shown(4)).toEqual(['a', 'b', 'c', 'd']);
  expect(shown(3)).toEqual(['b', 'd', '… and 2 more']);
});

it('tells which hosts come and which go', () => {
  const spec = (...hosts: Wire.SSHParams['hosts']) => ({
    configuration: { ssh_config: { user: 'u', hosts } },
    profile: {},
  });
  const changes = fleetChanges(spec('a', 'b', { hostname: 'c' }), spec('a', { hostname: 'd', port: 22 }));
  expect(renderChanges(changes)).toBe('- ssh_config.hosts: 3 hosts → 2 hosts (added d; removed b, c)');
  expect(fleetChanges(spec('a'), spec('a'))).toEqual([]);
});

it('applies a fleet of hosts again as it is, to try those that failed, unless it is to be made anew', async () => {
  const asked = (more: Partial<ResourceChange>): Promise<string> =>
    chooseResourceAction(
      processContext(),
      { kind: 'fleet', name: 'lab', changes: [], inPlace: true, yes: true, force: false, ...more },
      () => undefined,
    );
  expect(await asked({ again: 'Hosts that failed are tried again.' })).toBe('update');
  expect(await asked({ again: 'Hosts that failed are tried again.', force: true })).toBe('replace');
  expect(await asked({})).toBe('nothing');
});

it.each([
  ['short enough', 20, ['short enough']],
  ['broken at its spaces', 10, ['broken at', '  its', '  spaces']],
  ['averyverylongword stays', 8, ['averyverylongword', '  stays']],
])('wraps «%s» at %i', (text, width, expected) => expect(wrapText(text, width, { rest: '  ' })).toEqual(expected));
