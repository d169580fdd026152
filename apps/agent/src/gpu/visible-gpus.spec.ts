import { visibleGpus } from './visible-gpus.js';

it.each([
  [
    'nvidia' as const,
    ['GPU-a', 'GPU-b'],
    { CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b', NVIDIA_VISIBLE_DEVICES: 'GPU-a,GPU-b' },
  ],
  ['nvidia' as const, [], { CUDA_VISIBLE_DEVICES: '', NVIDIA_VISIBLE_DEVICES: 'void' }],
  ['amd' as const, ['/dev/dri/renderD136'], { ROCR_VISIBLE_DEVICES: '1' }],
  ['intel' as const, ['3'], { HABANA_VISIBLE_DEVICES: '3' }],
  ['tenstorrent' as const, ['0,1'], { TT_VISIBLE_DEVICES: '0,1' }],
  [undefined, [], {}],
])('a process is told of its %s devices %j', (vendor, lockIds, expected) => {
  const indexes = new Map([
    ['/dev/dri/renderD128', 0],
    ['/dev/dri/renderD136', 1],
  ]);
  expect(visibleGpus(vendor, lockIds, (id) => indexes.get(id))).toEqual(expected);
});
