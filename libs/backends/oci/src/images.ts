import {
  BackendError,
  type BackendEnvironment,
  type Call,
  Kept,
  machineImageName,
  type MachineImages,
} from '@dstack/backend-base';
import type { Oci } from './client.js';
import { hasGpus } from './shapes.js';

export interface ChosenImage {
  readonly id: string;
  /** Docker and the driver of the GPUs are there before the first start. */
  readonly isPrepared: boolean;
}

const UBUNTU = '22.04';
const KEPT_MS = 3_600_000;

/** Of dstack's makers, in the marketplace. */
function listingOf(shape: string, images: MachineImages): string {
  return machineImageName(/\.GPU3\./.test(shape) ? 'old-cuda' : 'cuda', images);
}

/** The images of machines: Ubuntu by its makers, and for GPUs one of the marketplace, whose terms are accepted for the compartment. */
export class Images {
  private readonly kept: Kept<ChosenImage>;

  constructor(private readonly environment: Pick<BackendEnvironment, 'now' | 'machineImages'>) {
    this.kept = new Kept(KEPT_MS, environment.now);
  }

  /** @throws {BackendError} */
  of(shape: string, compartmentId: string, client: Oci, call: Call): Promise<ChosenImage> {
    const isPrepared = hasGpus(shape);
    const what = this.nameOf(shape);
    return this.kept.get(`${client.region} ${compartmentId} ${what}`, call, async () => ({
      id: isPrepared
        ? await listed(what, compartmentId, client, call)
        : await newest(shape, compartmentId, client, call),
      isPrepared,
    }));
  }

  /** What was found may be gone, or not be allowed any more. */
  forget(shape: string, compartmentId: string, region: string): void {
    this.kept.forget(`${region} ${compartmentId} ${this.nameOf(shape)}`);
  }

  private nameOf(shape: string): string {
    return hasGpus(shape) ? listingOf(shape, this.environment.machineImages) : shape;
  }
}

async function newest(shape: string, compartmentId: string, client: Oci, call: Call): Promise<string> {
  const [image] = await client.ubuntuImages(compartmentId, UBUNTU, shape, call);
  if (image !== undefined) return image;
  throw missing(`${client.region} has no image of Ubuntu ${UBUNTU} for ${shape}`);
}

async function listed(name: string, compartmentId: string, client: Oci, call: Call): Promise<string> {
  const [listing, ...others] = await client.listings(name, call);
  if (listing === undefined || others.length > 0)
    throw missing(
      `the marketplace of ${client.region} has ${others.length === 0 ? 'no' : 'more than one'} image ${name}`,
    );
  const version = await client.listingVersion(listing, call);
  const [agreements, accepted, image] = await Promise.all([
    client.agreements(listing, version, call),
    client.acceptedAgreements(compartmentId, listing, version, call),
    client.listingImage(listing, version, call),
  ]);
  for (const agreement of agreements.filter((each) => !accepted.includes(each)))
    await client.acceptAgreement(compartmentId, listing, version, agreement, call);
  return image;
}

function missing(text: string): BackendError {
  return new BackendError({ kind: 'not-found', blocks: 'offer' }, text);
}
