import { promisify } from 'node:util';
import { brotliCompress, brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import type { CatalogColumns } from './catalog.js';
import type { CatalogType, PriceSource } from './catalog-row.js';

const FORMAT = 1;

interface Head {
  readonly format: number;
  readonly rows: number;
  readonly types: readonly CatalogType[];
  readonly locations: readonly string[];
  readonly sources: readonly PriceSource[];
}

/** Raised for what is no catalog, or one of another format. */
export class CatalogFileError extends Error {
  override readonly name = 'CatalogFileError';
}

/** A line of JSON (what rows share), then the columns one after the other, little-endian, all of it in Brotli. */
export function encodeCatalog(columns: CatalogColumns): Buffer {
  return brotliCompressSync(bodyOf(columns), { params: quality(constants.BROTLI_MAX_QUALITY) });
}

/** The same catalog in a file a little larger, without holding up what else there is to do. */
export function encodeCatalogBeside(columns: CatalogColumns): Promise<Buffer> {
  return promisify(brotliCompress)(bodyOf(columns), { params: quality(9) });
}

function quality(level: number): Record<number, number> {
  return { [constants.BROTLI_PARAM_QUALITY]: level };
}

function bodyOf({ types, locations, sources, price, type, location, sourceAndSpot }: CatalogColumns): Buffer {
  const head: Head = { format: FORMAT, rows: price.length, types, locations, sources };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head)}\n`),
    ...[price, type, location, sourceAndSpot].map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  ]);
}

/** @throws {CatalogFileError} */
export function decodeCatalog(file: Buffer): CatalogColumns {
  const body = decompress(file);
  const end = body.indexOf(0x0a);
  const head = parseHead(body.toString('utf8', 0, Math.max(0, end)));
  const { rows, types, locations, sources } = head;
  const expected = end + 1 + rows * (8 + 2 + 2 + 1);
  if (body.length !== expected) {
    throw new CatalogFileError(`the catalog has ${body.length} bytes, ${rows} rows need ${expected}`);
  }
  // A copy: the columns begin at any byte of the body, typed arrays only at whole elements.
  const { buffer } = Uint8Array.from(body.subarray(end + 1));
  return {
    types,
    locations,
    sources,
    price: new Float64Array(buffer, 0, rows),
    type: new Uint16Array(buffer, rows * 8, rows),
    location: new Uint16Array(buffer, rows * 10, rows),
    sourceAndSpot: new Uint8Array(buffer, rows * 12, rows),
  };
}

function decompress(file: Buffer): Buffer {
  try {
    return brotliDecompressSync(file);
  } catch (error) {
    throw new CatalogFileError('the file is no catalog: it cannot be decompressed', { cause: error });
  }
}

function parseHead(text: string): Head {
  let head: Partial<Head>;
  try {
    // Written by `encodeCatalog`; the format's number and the sizes are checked, the entries are not.
    head = JSON.parse(text) as Partial<Head>;
  } catch (error) {
    throw new CatalogFileError('the file is no catalog: it has no head', { cause: error });
  }
  const { format, rows, types, locations, sources } = head;
  if (format !== FORMAT || !rows || !types || !locations || !sources) {
    throw new CatalogFileError(`the catalog has format ${format}, this version reads ${FORMAT}`);
  }
  return { format, rows, types, locations, sources };
}
