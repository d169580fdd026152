import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { FileSetup } from '@dstack/agent-protocol';
import type { BlobStore } from '../files/blob-store.js';
import { assertInside } from '../files/assert-inside.js';
import { extractTar } from '../files/extract-tar.js';
import { makeOwnedDir } from '../files/make-owned-dir.js';
import { resolveJobPath } from './resolve-path.js';

export interface FilePlace {
  readonly home: string;
  readonly workingDir: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly confinedTo: string | undefined;
}

/** Puts each archive at its destination, in order; the archive's single root takes the destination's name, and what was there goes. */
export async function setUpFiles(files: readonly FileSetup[], blobs: BlobStore, place: FilePlace): Promise<void> {
  for (const file of files) {
    const destination = resolveJobPath(file.path, place.home, place.workingDir);
    if (destination === '/') throw new Error('a file cannot take the place of /');
    await assertInside(place.confinedTo, destination);
    const name = basename(destination);
    const parent = dirname(destination);
    await makeOwnedDir(parent, place.owner);
    await rm(destination, { recursive: true, force: true });
    await extractTar(blobs.path(file.blob), parent, {
      rename: (path) => [name, ...path.split('/').slice(1)].join('/'),
      ...(place.owner === undefined ? {} : { owner: place.owner }),
    });
  }
}
