import { judgeNode, toOffer } from './offers.js';
import { requestedByNode } from './requested-resources.js';
import { nodeReply, podReply } from './schema.js';

const node = (over: object = {}, spec: object = {}, status: object = {}) =>
  nodeReply.parse({
    metadata: { name: 'worker', labels: { 'nvidia.com/gpu.product': 'Tesla-T4' } },
    spec,
    status: {
      allocatable: { cpu: '7910m', memory: '16Gi', 'ephemeral-storage': '200Gi', 'nvidia.com/gpu': '4', ...over },
      nodeInfo: { architecture: 'amd64' },
      conditions: [{ type: 'Ready', status: 'True' }],
      ...status,
    },
  });
const space = (given = node(), requested = {}) => {
  const judged = judgeNode(given, requested);
  if (!judged.ok) throw new Error(judged.why);
  return judged.space;
};

it.each([
  ['cordoned', node({}, { unschedulable: true }), 'cordoned'],
  ['not ready', node({}, {}, { conditions: [{ type: 'Ready', status: 'Unknown' }] }), 'not ready'],
  ['tainted', node({}, { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] }), 'tainted with dedicated'],
  ['tainted to evict', node({}, { taints: [{ key: 'drain', effect: 'NoExecute' }] }), 'tainted with drain'],
  ['of other processors', node({}, {}, { nodeInfo: { architecture: 's390x' } }), 'processors of s390x'],
])('a node that is %s is left out', (_what, given, why) => {
  expect(judgeNode(given)).toEqual({ ok: false, why });
});

it.each([
  ['for its GPUs', { key: 'nvidia.com/gpu', effect: 'NoSchedule' }],
  ['softly', { key: 'dedicated', effect: 'PreferNoSchedule' }],
])('a node that is tainted %s is offered', (_how, taint) => {
  expect(judgeNode(node({}, { taints: [taint] })).ok).toBe(true);
});

it('has whole processors, and what is promised is not free', () => {
  const pods = [
    podReply.parse({
      metadata: { name: 'a' },
      spec: {
        nodeName: 'worker',
        containers: [
          { name: 'c', resources: { requests: { cpu: '1500m', memory: '2Gi', 'nvidia.com/gpu': '1' } } },
          { name: 'd', resources: { requests: { cpu: '500m' } } },
        ],
        // Before the others and not beside them; it takes more.
        initContainers: [{ name: 'i', resources: { requests: { memory: '5Gi' } } }],
      },
      status: { phase: 'Running' },
    }),
    podReply.parse({
      metadata: { name: 'b' },
      spec: { nodeName: 'worker', containers: [{ name: 'c', resources: { requests: { cpu: '4' } } }] },
      status: { phase: 'Succeeded' },
    }),
    podReply.parse({
      metadata: { name: 'e' },
      spec: {
        nodeName: 'worker',
        containers: [{ name: 'c' }],
        initContainers: [{ name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '100m' } } }],
        overhead: { cpu: '10m' },
      },
    }),
  ];
  const requested = requestedByNode(pods).get('worker');
  expect(space(node(), requested)).toMatchObject({
    cpus: 5,
    memoryMib: 11 * 1024,
    diskMib: 200 * 1024,
    gpus: { count: 3 },
  });
  expect(space()).toMatchObject({ cpus: 7, memoryMib: 16 * 1024, gpus: { count: 4 } });
});

it('tells of GPUs that nobody can ask for, and is offered without them', () => {
  const judged = judgeNode(nodeReply.parse({ ...node(), metadata: { name: 'n', labels: {} } }));
  expect(judged).toMatchObject({
    ok: true,
    warning: expect.stringContaining('no label') as string,
    space: { gpus: null },
  });
});

it.each([
  [
    'what is asked',
    {
      cpu: { count: { min: 2, max: null } },
      memory: { min: 4, max: null },
      disk: { size: { min: 100 } },
      gpu: { count: { min: 2, max: 4 } },
    },
    [2, 4096, 102_400, 2],
  ],
  [
    'what there is, where that is less',
    { cpu: { count: { min: 64 } }, memory: { min: 512 }, disk: { size: { min: 1000 } }, gpu: { count: { min: 8 } } },
    [7, 16_384, 204_800, 4],
  ],
  ['little, where nothing is asked', {}, [1, 512, 1024, 0]],
  ['no more than the most that is asked', { cpu: { count: { max: 1 } }, memory: { max: 0.25 } }, [1, 256, 1024, 0]],
  ['one GPU that is described and not counted', { gpu: { name: ['T4'] } }, [1, 512, 1024, 1]],
  ['no GPU that is refused', { gpu: { name: ['T4'], count: { min: 0, max: 0 } } }, [1, 512, 1024, 0]],
])('an offer is cut to %s', (_what, spec, [cpus, memory, disk, gpus]) => {
  const { resources } = toOffer(space(), 'in-house', spec, false).instance;
  expect([resources.cpus, resources.memory_mib, resources.disk?.size_mib, resources.gpus.length]).toEqual([cpus, memory, disk, gpus]); // prettier-ignore
});

it('shows the whole node to those who look what there is', () => {
  expect(toOffer(space(), 'in-house', { cpu: { count: { min: 1 } } }, true)).toMatchObject({
    backend: 'kubernetes',
    region: 'in-house',
    price: 0,
    instance_runtime: 'runner',
    instance: { name: 'worker', resources: { cpus: 7, spot: false, cpu_arch: 'x86', gpus: [{ name: 'T4', vendor: 'nvidia' }, {}, {}, {}] } }, // prettier-ignore
  });
});
