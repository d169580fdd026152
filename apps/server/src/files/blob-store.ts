/** A bucket for uploads. Content never changes under a key: the key names its hash. */
export interface BlobStore {
  /** As people call it: `s3://bucket`. */
  readonly name: string;
  /** @throws {BlobStoreError} */
  put(key: string, content: Buffer): Promise<void>;
  /** Null: there is none. @throws {BlobStoreError} */
  get(key: string): Promise<Buffer | null>;
  /** One that is not there is fine. @throws {BlobStoreError} */
  delete(key: string): Promise<void>;
  /** Whether the bucket is there and lets this server in. @throws {BlobStoreError} */
  check(): Promise<void>;
  close(): void;
}

export class BlobStoreError extends Error {
  override readonly name = 'BlobStoreError';
  constructor(
    message: string,
    /** Whether another try may do; else a setting has to change, there or here. */
    readonly isOutage: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Where a diff of code is. `repoId` is the one that clients send. */
export const codeKey = (projectName: string, repoId: string, hash: string): string =>
  `data/projects/${projectName}/codes/${repoId}/${hash}`;

export const archiveKey = (userId: string, hash: string): string => `data/users/${userId}/file_archives/${hash}`;
