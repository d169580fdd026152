import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Catalog, decodeCatalog, encodeCatalog } from '@dstack/catalog';
import {
  allRows,
  CatalogSourceError,
  type CloudReader,
  describeChanges,
  NoKeyError,
  type ReadCloud,
  readCloud,
  refreshCatalog,
  type RefreshLimits,
} from '@dstack/catalog/refresh';

export interface RefreshOptions {
  readonly reader: Omit<CloudReader, 'current'>;
  /** Holds the catalogs that are replaced: what is read is compared with them. */
  readonly directory: string;
  /** Where the results go; they are taken from there the next time. */
  readonly out: string;
  readonly limits: RefreshLimits;
  /** Write also what speaks for a mistake. */
  readonly isForced: boolean;
  /** Write nothing. */
  readonly isDry: boolean;
  readonly print: (line: string) => void;
}

/** `partly`: written, with places that kept what they had; `skipped`: not read without a key. */
export type RefreshOutcome = 'written' | 'partly' | 'dry' | 'refused' | 'failed' | 'skipped';

/** Reads a cloud's price list and rewrites its catalog; says what changed. */
export async function refresh(cloud: ReadCloud, options: RefreshOptions): Promise<RefreshOutcome> {
  const { print, isDry, isForced } = options;
  try {
    const current = allRows(currentCatalog(cloud, options));
    const reading = await readCloud(cloud, { ...options.reader, current });
    const { columns, changes, objections, failed, remarks } = refreshCatalog(current, reading, options.limits);
    const [head = '', ...lines] = describeChanges(changes);
    print(`${cloud}: ${head}`);
    for (const line of lines) print(line);
    for (const remark of remarks) print(`  note: ${remark}`);
    for (const { place, error } of failed) print(`  failed: ${place} keeps its prices: ${error}`);
    for (const objection of objections) print(`  doubtful: ${objection}`);
    if (objections.length > 0 && !isForced) {
      print(`  ${cloud} was not written; look at the list, and use --force if it is right`);
      return 'refused';
    }
    if (isDry) return 'dry';
    const file = encodeCatalog(columns);
    write(join(options.out, `${cloud}.catalog`), file);
    print(`  written: ${Math.round(file.length / 1024)} KiB`);
    return failed.length > 0 ? 'partly' : 'written';
  } catch (error) {
    if (error instanceof NoKeyError) print(`${cloud}: skipped: ${error.message}`);
    if (error instanceof NoKeyError) return 'skipped';
    if (!(error instanceof CatalogSourceError)) throw error;
    print(`${cloud}: failed, the catalog is as it was: ${error.message}`);
    return 'failed';
  }
}

function currentCatalog(cloud: ReadCloud, { directory, out }: RefreshOptions): Catalog {
  const written = join(out, `${cloud}.catalog`);
  const path = existsSync(written) ? written : join(directory, `${cloud}.catalog`);
  return new Catalog(decodeCatalog(readFileSync(path)));
}

/** Whole or not at all: a server may be reading it. */
function write(path: string, file: Buffer): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(`${path}.new`, file);
  renameSync(`${path}.new`, path);
}
