import { GoogleRefusal } from '../gcp/google-refusal.js';
import { type GoogleAsked, GoogleServiceFake } from './google-service-fake.js';

interface Entry {
  readonly insertId?: string;
  readonly timestamp?: string;
  readonly textPayload?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const ENTRY_BYTES = 256 * 1024;
const REQUEST_BYTES = 10_000_000;
const FILTER = /^logName="([^"]+)" AND labels\.stream="([^"]+)" AND timestamp>="([^"]+)" AND timestamp<="([^"]+)"$/;

/** Cloud Logging v2: entries are written, and listed in the order of their times and, among the same, of their ids. */
export class GoogleLoggingFake extends GoogleServiceFake {
  readonly entries: (Entry & { readonly logName: string })[] = [];

  static start(): Promise<GoogleLoggingFake> {
    return new GoogleLoggingFake(new URL('../../specs/gcp-logging-v2.json', import.meta.url)).listen();
  }

  protected answer(asked: GoogleAsked): object {
    if (asked.bytes.length > REQUEST_BYTES) throw invalid('Request payload size exceeds the limit: 10485760 bytes.');
    return asked.method === 'entries.write' ? this.write(asked.body) : this.list(asked.body);
  }

  private write(body: GoogleAsked['body']): object {
    const entries = body['entries'] as readonly Entry[]; // its shape was checked
    const logName = String(body['logName']);
    if (!logName.startsWith(`projects/${this.project}/logs/`))
      throw new GoogleRefusal(403, 'PERMISSION_DENIED', "Permission 'logging.logEntries.create' denied on resource");
    if (entries.length === 0) throw invalid('No entries.');
    for (const entry of entries)
      if (Buffer.byteLength(JSON.stringify(entry)) > ENTRY_BYTES)
        throw invalid('Log entry with size over 256.0K exceeds maximum size of 256.0K');
    if (body['dryRun'] === true) return {};
    this.entries.push(...entries.map((entry) => ({ ...entry, logName })));
    return {};
  }

  private list(body: GoogleAsked['body']): object {
    const parts = FILTER.exec(String(body['filter']));
    if (parts === null) throw invalid('Unparseable filter');
    const [, logName, stream, from = '', until = ''] = parts;
    const found = this.entries.filter(
      ({ logName: name, labels, timestamp = '' }) =>
        name === logName && labels?.['stream'] === stream && timestamp >= from && timestamp <= until,
    );
    const single = new Map(found.map((entry) => [`${entry.timestamp} ${entry.insertId}`, entry]));
    const sorted = [...single].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
    const [start, size] = [Number(body['pageToken'] ?? 0), Number(body['pageSize'] ?? 50)];
    const page = sorted.slice(start, start + size);
    return { entries: page, ...(start + size < sorted.length ? { nextPageToken: String(start + size) } : {}) };
  }
}

function invalid(message: string): GoogleRefusal {
  return new GoogleRefusal(400, 'INVALID_ARGUMENT', message);
}
