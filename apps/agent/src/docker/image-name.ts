export interface ImageName {
  /** With the registry, as the engine takes it. */
  readonly repository: string;
  /** A tag, or `sha256:…`. */
  readonly reference: string;
  /** The registry may hold another image under this name tomorrow, by custom. */
  readonly moves: boolean;
}

/** `[registry[:port]/]path[:tag][@digest]`; only a colon after the last slash begins a tag, and a digest beats a tag. */
export function parseImageName(name: string): ImageName {
  const [tagged = '', digest] = name.split('@', 2);
  const colon = tagged.lastIndexOf(':');
  const hasTag = colon > tagged.lastIndexOf('/');
  const repository = hasTag ? tagged.slice(0, colon) : tagged;
  const tag = hasTag ? tagged.slice(colon + 1) : undefined;
  if (repository === '') throw new RangeError(`"${name}" is not the name of an image`);
  if (digest !== undefined) return { repository, reference: digest, moves: false };
  return { repository, reference: tag ?? 'latest', moves: tag === undefined || tag === 'latest' };
}

export function imageReference({ repository, reference }: ImageName): string {
  return reference.includes(':') ? `${repository}@${reference}` : `${repository}:${reference}`;
}

/** The first part is a registry when it looks like a host; all other names are Docker Hub's. */
export function registryOf({ repository }: ImageName): string {
  const first = repository.split('/', 1)[0] ?? '';
  const isHost = repository.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  return isHost ? first : 'https://index.docker.io/v1/';
}
