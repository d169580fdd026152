import { errorCode } from '../error-code.js';
import { SftpError, Status, type StatusCode } from './protocol.js';

const CODES: ReadonlyMap<unknown, StatusCode> = new Map<unknown, StatusCode>([
  ['ENOENT', Status.noSuchFile],
  ['ENOTDIR', Status.noSuchFile],
  ['EACCES', Status.permissionDenied],
  ['EPERM', Status.permissionDenied],
  ['EROFS', Status.permissionDenied],
  ['ENOSYS', Status.unsupported],
  ['ENOTSUP', Status.unsupported],
]);

/** What to tell the client of a failure. */
export function statusOf(error: unknown): { status: StatusCode; message: string } {
  if (error instanceof SftpError) return { status: error.status, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { status: CODES.get(errorCode(error)) ?? Status.failure, message };
}
