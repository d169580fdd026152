import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export class BlobMismatchError extends Error {
  override readonly name = 'BlobMismatchError';
}

/** Uploaded content, named by its SHA-256: a file with that name is whole and right. */
export class BlobStore {
  constructor(private readonly dir: string) {}

  path(sha256: string): string {
    return join(this.dir, `blob-${sha256}`);
  }

  async has(sha256: string): Promise<boolean> {
    return access(this.path(sha256)).then(
      () => true,
      () => false,
    );
  }

  async missing(sha256s: readonly string[]): Promise<string[]> {
    const present = await Promise.all(sha256s.map((sha256) => this.has(sha256)));
    return sha256s.filter((_, index) => present[index] === false);
  }

  /** @throws {BlobMismatchError} when the content is not what its name says. */
  async put(sha256: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const temporary = `${this.path(sha256)}.${randomBytes(6).toString('hex')}.tmp`;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    const hash = createHash('sha256');
    try {
      for await (const chunk of content) {
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      const actual = hash.digest('hex');
      if (actual !== sha256)
        throw new BlobMismatchError(`the content's SHA-256 is ${actual}, not ${sha256}: send it again`);
      await rename(temporary, this.path(sha256));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }
}
