import { machineImageName, type MachineImages } from '@dstack/backend-base';

export type ImageReference =
  | { readonly communityGalleryImageId: string }
  | { readonly publisher: string; readonly offer: string; readonly sku: string; readonly version: 'latest' };

export interface ChosenImage {
  readonly reference: ImageReference;
  /** Docker, and for GPUs their driver, are there before the first start. */
  readonly isPrepared: boolean;
}

/** Of dstack's makers: Ubuntu with Docker and the driver that the GPUs need. */
const GALLERY = 'dstack-ebac134d-04b9-4c2b-8b6c-ad3e73904aa7';

const gallery = (name: string): ChosenImage => ({
  reference: { communityGalleryImageId: `/CommunityGalleries/${GALLERY}/Images/${name}` },
  isPrepared: true,
});

/** By Ubuntu's makers, of the second generation: newer sizes start no other. */
export const UBUNTU: ChosenImage = {
  reference: {
    publisher: 'Canonical',
    offer: '0001-com-ubuntu-server-jammy',
    sku: '22_04-lts-gen2',
    version: 'latest',
  },
  isPrepared: false,
};

export function imageOf(size: string, gpus: readonly { readonly name: string }[], images: MachineImages): ChosenImage {
  const [gpu] = gpus;
  if (gpu === undefined) return UBUNTU;
  // Parts of a card need NVIDIA's driver for parts of cards.
  const kind = /_A10_v5$/.test(size) ? 'grid' : gpu.name === 'V100' ? 'old-cuda' : 'cuda';
  return gallery(machineImageName(kind, images));
}
