import type * as Wire from '../wire/generated/api.js';

/** Set by the server; the defaults are those of the contract version. */
export interface ImageDefaults {
  readonly baseImage: string;
  readonly baseVersion: string;
  readonly ubuntuVersion: string;
  readonly dindImage: string;
  readonly python: Wire.PythonVersion;
  /** For images that name no registry. */
  readonly registry: string | null;
}

export const IMAGE_DEFAULTS: ImageDefaults = {
  baseImage: 'dstackai/base',
  baseVersion: '0.15',
  ubuntuVersion: '24.04',
  dindImage: 'dstackai/dind',
  // Pinned: what a run gets must not depend on what the server happens to be built with.
  python: '3.12',
  registry: null,
};

export interface ImageChoice {
  readonly image?: string | null;
  readonly docker?: boolean | null;
  readonly nvcc?: boolean | null;
}

export type ImageKind = 'default' | 'dind' | 'custom';

export function imageKind({ image, docker }: ImageChoice): ImageKind {
  if (docker === true) return 'dind';
  return image ? 'custom' : 'default';
}

export function imageName(choice: ImageChoice, defaults: ImageDefaults = IMAGE_DEFAULTS): string {
  return withRegistry(plainName(choice, defaults), defaults.registry);
}

function plainName(choice: ImageChoice, defaults: ImageDefaults): string {
  if (choice.docker === true) return defaults.dindImage;
  if (choice.image) return choice.image;
  return `${defaults.baseImage}:${defaults.baseVersion}-${choice.nvcc === true ? 'devel' : 'base'}-ubuntu${defaults.ubuntuVersion}`;
}

/** Both variants of the unmodified default image become the one that has the EFA libraries. */
export function efaImageName(image: string, defaults: ImageDefaults = IMAGE_DEFAULTS): string {
  const prefix = withRegistry(`${defaults.baseImage}:${defaults.baseVersion}`, defaults.registry);
  const suffix = `ubuntu${defaults.ubuntuVersion}`;
  const isDefault = image === `${prefix}-base-${suffix}` || image === `${prefix}-devel-${suffix}`;
  return isDefault ? `${prefix}-devel-efa-${suffix}` : image;
}

function withRegistry(image: string, registry: string | null): string {
  const first = image.split('/')[0] ?? '';
  const namesRegistry = image.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return registry === null || namesRegistry ? image : `${registry.replace(/\/+$/, '')}/${image}`;
}

/** What a registry tells of an image; planning goes on without it when the registry does not answer. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly user: string | null;
  readonly architectures: readonly string[];
}

const CPU_ARCHITECTURE: ReadonlyMap<string, Wire.CPUArchitecture> = new Map([
  ['amd64', 'x86'],
  ['arm64', 'arm'],
]);

/** The architecture a job needs when its configuration names none: null is any. */
export function impliedArchitecture(kind: ImageKind, config: ImageConfig | null): Wire.CPUArchitecture | null {
  if (kind !== 'custom') return 'x86';
  const supported = new Set(
    (config?.architectures ?? []).map((name) => CPU_ARCHITECTURE.get(name)).filter((arch) => arch !== undefined),
  );
  return supported.size === 1 ? ([...supported][0] ?? null) : null;
}
