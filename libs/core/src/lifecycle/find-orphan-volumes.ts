/** A volume that a cloud lists as ours. */
export interface ListedVolumeFact {
  readonly volumeId: string;
  /** Null where the cloud, or its backend, does not tell. */
  readonly cloudName: string | null;
  readonly token: string | null;
}

/** A volume of the server, read after the cloud was asked for its list. */
export interface KnownVolume {
  /** Null: none has been told yet. */
  readonly volumeId: string | null;
  readonly cloudName: string | null;
  readonly token: string | null;
  /** A create call of it may still be answered. */
  readonly isOpen: boolean;
}

export interface OrphanVolume<Listed extends ListedVolumeFact> {
  readonly volume: Listed;
  /** It was made for a volume of ours that has failed, was deleted or has another one. What nobody remembers may hold somebody's data. */
  readonly isRemembered: boolean;
}

/**
 * Volumes that cost money and that no volume of the server will ever delete. A name is on disk before its volume can exist: one that nobody
 * remembers was made by a server whose database is not this one any more, or was restored.
 */
export function findOrphanVolumes<Listed extends ListedVolumeFact>(
  listed: readonly Listed[],
  known: readonly KnownVolume[],
): OrphanVolume<Listed>[] {
  return listed
    .filter((volume) => !known.some((each) => isBehind(volume, each)))
    .map((volume) => ({ volume, isRemembered: known.some((each) => isNamedAlike(volume, each)) }));
}

function isBehind(listed: ListedVolumeFact, known: KnownVolume): boolean {
  if (known.volumeId !== null) return known.volumeId === listed.volumeId;
  if (!known.isOpen) return false;
  // One that does not tell its name may be any that is being created.
  return (listed.cloudName === null && listed.token === null) || isNamedAlike(listed, known);
}

function isNamedAlike(listed: ListedVolumeFact, { cloudName, token }: KnownVolume): boolean {
  return (cloudName !== null && cloudName === listed.cloudName) || (token !== null && token === listed.token);
}
