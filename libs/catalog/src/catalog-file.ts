import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
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
  const { types, locations, sources, price } = columns;
  const head: Head = { format: FORMAT, rows: price.length, types, locations, sources };
  const parts = [columns.price, columns.type, columns.location, columns.sourceAndSpot];
  const body = Buffer.concat([
    Buffer.from(`${JSON.stringify(head)}\n`),
    ...parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  ]);
  return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });
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
