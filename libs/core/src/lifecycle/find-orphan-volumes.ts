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

/**
 * Volumes that cost money and that no volume of the server will ever delete. A name is on disk before its volume can exist. What holds
 * data is deleted only when it is certain: one that does not tell its name may be any that is being created.
 */
export function findOrphanVolumes<Listed extends ListedVolumeFact>(
  listed: readonly Listed[],
  known: readonly KnownVolume[],
): Listed[] {
  return listed.filter((volume) => !known.some((each) => isSameVolume(volume, each)));
}

function isSameVolume(listed: ListedVolumeFact, known: KnownVolume): boolean {
  if (known.volumeId !== null) return known.volumeId === listed.volumeId;
  if (!known.isOpen) return false;
  if (listed.cloudName === null && listed.token === null) return true;
  return known.cloudName === listed.cloudName || (known.token !== null && known.token === listed.token);
}
