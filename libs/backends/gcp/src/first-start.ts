import { INSTALL_DOCKER, KEEP_GPUS_ON_RELOAD } from '@dstack/backend-base';

const TCPXO = 'us-docker.pkg.dev/gce-ai-infra/gpudirect-tcpxo';

/** GPUDirect-TCPXO as Google describes it for A3 Mega: the plugin of NCCL in /var/lib/tcpxo, and the program that moves its data. */
const TCPXO_STEPS: readonly string[] = [
  'modprobe import-helper',
  'gcloud -q auth configure-docker us-docker.pkg.dev',
  `docker run --rm --gpus=all --volume /var/lib:/var/lib ${TCPXO}/nccl-plugin-gpudirecttcpx-dev:v1.0.8-1 install --install-nccl`,
  [
    'docker run --detach --name tcpgpudmarxd --restart=always --gpus=all --privileged --cap-add=NET_ADMIN --network=host',
    '--volume /var/lib/nvidia/lib64:/usr/local/nvidia/lib64 --env LD_LIBRARY_PATH=/usr/local/nvidia/lib64',
    '--device /dev/dmabuf_import_helper:/dev/dmabuf_import_helper',
    `${TCPXO}/tcpgpudmarxd-dev:v1.0.14 --num_hops=2 --num_nics=8 --uid= --alsologtostderr`,
  ].join(' '),
];

/** Shell for the first start of a machine, by root. */
export function firstSteps(type: string, hasExtraNetworks: boolean): readonly string[] {
  const own = type === 'a3-megagpu-8g' && hasExtraNetworks ? TCPXO_STEPS : [];
  return [INSTALL_DOCKER, KEEP_GPUS_ON_RELOAD, ...own];
}
