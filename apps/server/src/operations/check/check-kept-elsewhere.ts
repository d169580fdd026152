import { BlobStoreError } from '../../files/blob-store.js';
import { openUploads } from '../../files/uploads.js';
import { LogSinkError } from '../../logs/sinks/log-sink.js';
import { openSink } from '../../logs/sinks/open-sink.js';
import type { OperationContext } from '../operation.js';
import { error, type Finding, ok, warning } from './finding.js';

/** Whether the service that keeps the logs lets this server in. Nothing is written. */
export async function checkLogSink({ settings, world }: OperationContext): Promise<Finding[]> {
  if (settings.logSink === undefined) return [];
  try {
    const sink = await openSink(settings.logSink, world.clock);
    try {
      await sink.check();
      return [ok('logs', `go to ${sink.name}${sink.isReadable ? '' : '; they are not read back (DSTACK_SERVER_ELASTICSEARCH_HOST is not set)'}`)]; // prettier-ignore
    } finally {
      await sink.close();
    }
  } catch (failure) {
    if (!(failure instanceof LogSinkError)) throw failure;
    if (failure.kind === 'outage') return [warning('logs', `wait in the database: ${failure.message}. Look at it.`)];
    return [error('logs', `${failure.message}.`)];
  }
}

/** Whether the bucket of uploads lets this server in. */
export async function checkUploads({ settings }: OperationContext): Promise<Finding[]> {
  if (settings.blobStore === undefined) return [];
  const uploads = await openUploads(settings.blobStore, process.env, { isChecked: false });
  try {
    await uploads.check();
    return [ok('uploads', `go to ${uploads.name}`)];
  } catch (failure) {
    if (!(failure instanceof BlobStoreError)) throw failure;
    if (failure.isOutage) return [warning('uploads', `fail now: ${failure.message}. Look at it.`)];
    return [error('uploads', `${failure.message}.`)];
  } finally {
    uploads.onApplicationShutdown();
  }
}
