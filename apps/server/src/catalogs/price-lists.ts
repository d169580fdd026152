import { publicFetch } from '@dstack/backend-base/proxy';
import type { Catalog, CatalogRow } from '@dstack/catalog';
import {
  allRows,
  CatalogSourceError,
  describeChanges,
  READ_CLOUDS,
  type ReadCloud,
  readCloud,
  type Reading,
  refreshCatalog,
  type RefreshedCatalog,
  SourceClient,
} from '@dstack/catalog/refresh';
import type { ServerSettings } from '../settings/settings.js';
import type { World } from '../world/world.js';

const FILE_MS = 60_000;
/** The largest is a hundredth of it. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface PublishedCatalog {
  readonly file: Buffer;
  readonly etag: string | null;
}

/** The network's side of catalogs. */
export class PriceLists {
  constructor(
    private readonly settings: Pick<ServerSettings, 'catalogs'>,
    private readonly world: World,
  ) {}

  /** A catalog with what its cloud's list says now, and one line of what has changed. @throws {CatalogSourceError} */
  async refresh(
    cloud: string,
    catalog: Catalog,
    awsRegions: readonly string[],
    signal: AbortSignal,
  ): Promise<RefreshedCatalog & { readonly summary: string }> {
    const known = READ_CLOUDS.find((each) => each === cloud);
    if (known === undefined) throw new Error(`no price list of ${cloud} is read`);
    const current = allRows(catalog);
    const refreshed = refreshCatalog(current, await this.read(known, current, awsRegions, signal));
    return { ...refreshed, summary: describeChanges(refreshed.changes)[0] ?? '' };
  }

  /** A cloud's own list. @throws {CatalogSourceError} */
  read(
    cloud: ReadCloud,
    current: readonly CatalogRow[],
    awsRegions: readonly string[],
    signal: AbortSignal,
  ): Promise<Reading> {
    const { scheduler, clock, random } = this.world;
    const source = new SourceClient(
      {
        fetch: publicFetch,
        sleep: (ms, until) => scheduler.sleep(ms, until),
        now: () => clock.now(),
        random: () => random.next(),
      },
      signal,
    );
    const { googleApiKey } = this.settings.catalogs;
    return readCloud(cloud, {
      source,
      now: () => clock.now(),
      current,
      accounts: googleApiKey === undefined ? {} : { gcp: { key: { apiKey: googleApiKey }, project: null } },
      urls: {},
      awsRegions,
    });
  }

  /** A catalog that somebody has made of it. Null: it is the one of the tag. @throws {CatalogSourceError} */
  async published(
    base: string,
    cloud: string,
    etag: string | null,
    signal: AbortSignal,
  ): Promise<PublishedCatalog | null> {
    const url = `${base}/${cloud}.catalog`;
    try {
      const response = await publicFetch(url, {
        headers: etag === null ? {} : { 'if-none-match': etag },
        signal: AbortSignal.any([signal, AbortSignal.timeout(FILE_MS)]),
      });
      if (response.status === 304) return null;
      if (!response.ok) throw new CatalogSourceError(url, `the reply is ${response.status}`);
      return { file: await limited(response, url), etag: response.headers.get('etag') };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CatalogSourceError) throw error;
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new CatalogSourceError(url, `the reply breaks off (${reason})`, null, { cause: error });
    }
  }
}

async function limited(response: Response, url: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > MAX_FILE_BYTES) throw new CatalogSourceError(url, `the file is larger than ${MAX_FILE_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
