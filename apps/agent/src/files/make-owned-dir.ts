import { lchown, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Creates a directory and the parents it lacks; all that are new belong to the owner. Existing ones stay as they are. */
export async function makeOwnedDir(
  path: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
  mode = 0o755,
): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode });
  if (first === undefined || owner === undefined) return;
  for (let at = path; ; at = dirname(at)) {
    await lchown(at, owner.uid, owner.gid);
    if (at === first || at === '/') return;
  }
}
