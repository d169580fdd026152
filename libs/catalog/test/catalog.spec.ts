import { brotliCompressSync } from 'node:zlib';
import {
  buildColumns,
  Catalog,
  CatalogFileError,
  type CatalogFilter,
  type CatalogRow,
  type CatalogType,
  decodeCatalog,
  encodeCatalog,
  encodeCatalogBeside,
} from '../src/index.js';

const small: CatalogType = {
  name: 'small',
  cpus: 2,
  memoryMib: 4096,
  gpu: null,
  cpuArch: 'x86',
  diskGb: null,
  flags: [],
};
const big: CatalogType = {
  ...small,
  name: 'big',
  gpu: { vendor: 'nvidia', name: 'H100', count: 8, memoryMib: 81920 },
  flags: ['mark'],
};
const list = { source: 'price list', date: '2026-07-20', isExact: true };
const guess = { source: 'advisor', date: 'mid 2025', isExact: false, note: 'computed' };
const rows: CatalogRow[] = [
  { type: big, location: 'north', price: 32, isSpot: false, source: list },
  { type: big, location: 'north', price: 9.5, isSpot: true, source: guess },
  { type: small, location: 'south', price: 0.05, isSpot: false, source: list },
  { type: small, location: 'north', price: 0.04, isSpot: false, source: list },
];
const catalog = new Catalog(buildColumns(rows));
const prices = (filter: CatalogFilter): number[] => [...catalog.rows(filter)].map(({ price }) => price);
const any = { type: () => true };

describe('a catalog', () => {
  it.each<[string, CatalogFilter, number[]]>([
    ['everything, the cheapest first', any, [0.04, 0.05, 9.5, 32]],
    ['by type', { type: ({ gpu }) => gpu?.name === 'H100' }, [9.5, 32]],
    ['by place', { ...any, location: (location) => location === 'south' }, [0.05]],
    ['on demand', { ...any, isSpot: false }, [0.04, 0.05, 32]],
    ['spot', { ...any, isSpot: true }, [9.5]],
    ['either', { ...any, isSpot: null }, [0.04, 0.05, 9.5, 32]],
    ['up to a price, which itself counts', { ...any, maxPrice: 9.5 }, [0.04, 0.05, 9.5]],
    ['nothing', { type: () => false }, []],
  ])('gives %s', (_what, filter, expected) => {
    expect(prices(filter)).toEqual(expected);
  });

  it('keeps everything that a row says', () => {
    const byPrice = [...rows].sort((a, b) => a.price - b.price);
    expect([...catalog.rows(any)]).toEqual(byPrice);
  });

  it('asks about each type once', () => {
    const asked: string[] = [];
    prices({ type: ({ name }) => asked.push(name) > 0 });
    expect(asked.sort()).toEqual(['big', 'small']);
  });
});

describe('a catalog file', () => {
  it('is read back as it was written', () => {
    const columns = decodeCatalog(encodeCatalog(buildColumns(rows)));
    expect([...new Catalog(columns).rows(any)]).toEqual([...catalog.rows(any)]);
  });

  it('that is written beside other work is read the same', async () => {
    const columns = decodeCatalog(await encodeCatalogBeside(buildColumns(rows)));
    expect([...new Catalog(columns).rows(any)]).toEqual([...catalog.rows(any)]);
  });

  it.each<[string, Buffer, string]>([
    ['something else', Buffer.from('hello'), 'cannot be decompressed'],
    ['no head', brotliCompressSync('hello\n'), 'no head'],
    ['another format', brotliCompressSync('{"format":2}\n'), 'format 2'],
    [
      'an end too early',
      brotliCompressSync('{"format":1,"rows":3,"types":[],"locations":[],"sources":[]}\nxx'),
      '3 rows',
    ],
  ])('with %s is refused', (_what, file, message) => {
    expect(() => decodeCatalog(file)).toThrow(CatalogFileError);
    expect(() => decodeCatalog(file)).toThrow(message);
  });
});
