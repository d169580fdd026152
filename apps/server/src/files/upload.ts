import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ClientError, InvalidRequestError } from '../http/api-errors.js';

export interface Upload {
  /** SHA-256 in hex, verified. */
  readonly hash: string;
  readonly content: Buffer;
}

/**
 * The one file of a multipart body. Its name is the hash of its content, which is checked: a wrong one would poison what is
 * found by it. Bytes are counted as they come, whatever the headers claim; a limit of 0 means none.
 */
export async function readUpload(request: FastifyRequest, limitBytes: number): Promise<Upload> {
  if (!request.isMultipart()) throw missingFile();
  const fileSize = limitBytes > 0 ? limitBytes : Number.MAX_SAFE_INTEGER;
  const limits = { files: 1, fileSize, fields: 10, fieldSize: 1_000, parts: 11 };
  const part = await whole(() => request.file({ limits, throwFileSizeLimit: false }));
  if (part?.fieldname !== 'file') throw missingFile();
  const sha256 = createHash('sha256');
  const chunks: Buffer[] = [];
  await whole(async () => {
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      sha256.update(chunk);
      chunks.push(chunk);
    }
  });
  if (part.file.truncated)
    throw new ClientError(
      `The upload is larger than ${inMebibytes(limitBytes)}. Exclude files with .gitignore or .dstackignore, or raise DSTACK_SERVER_CODE_UPLOAD_LIMIT`,
    );
  const hash = sha256.digest('hex');
  if (part.filename !== hash)
    throw new ClientError(`The file's name must be the SHA-256 of its content, which is ${hash}`);
  return { hash, content: Buffer.concat(chunks) };
}

/** What breaks while a body is read is the body: cut off, or divided in another way than its header says. */
async function whole<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Error) || 'statusCode' in error) throw error;
    throw new ClientError(`The body is not a whole multipart form (${error.message}). Send the file again`);
  }
}

function inMebibytes(bytes: number): string {
  return `${Number((bytes / 2 ** 20).toFixed(2))} MiB`;
}

function missingFile(): InvalidRequestError {
  return new InvalidRequestError([{ type: 'missing', loc: ['body', 'file'], msg: 'Field required', input: null }]);
}
