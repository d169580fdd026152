import { bundledCatalog, Catalog, type CatalogRow, type CatalogType } from '../src/index.js';
import { allRows, describeChanges, type Reading, refreshCatalog } from '../src/refresh/index.js';

const OLD = { source: 'list', date: '2025', isExact: true };
const NEW = { source: 'list', date: '2026-11-30', isExact: true };

function row(name: string, price: number, rest: Partial<CatalogRow> = {}): CatalogRow {
  const type: CatalogType = { name, cpus: 2, memoryMib: 8192, gpu: null, cpuArch: 'x86', diskGb: null, flags: [] };
  return { type, location: 'here', price, isSpot: false, source: OLD, ...rest };
}

function reading(rows: readonly CatalogRow[], covers: Reading['covers'] = () => true): Reading {
  return { rows: rows.map((each) => ({ ...each, source: NEW })), covers, failed: [], remarks: [] };
}

const HUNDRED = Array.from({ length: 100 }, (_, index) => row(`m${index}`, 1 + index));

describe('a refreshed catalog', () => {
  it('has what was read with its date, and of places that failed what it had', () => {
    const current = [row('a', 1), row('a', 2, { location: 'there' }), row('b', 3)];
    const refreshed = refreshCatalog(
      current,
      reading([row('a', 1.5), row('c', 4)], ({ location }) => location === 'here'),
    );
    const rows = allRows(new Catalog(refreshed.columns));
    expect(rows.map(({ type, location, price, source: { date } }) => [type.name, location, price, date])).toEqual([
      ['a', 'here', 1.5, '2026-11-30'],
      ['a', 'there', 2, '2025'],
      ['c', 'here', 4, '2026-11-30'],
    ]);
    expect(describeChanges(refreshed.changes)).toEqual([
      '3 prices, before 3: 1 added, 1 removed, 1 changed',
      '  + c in here 4 USD',
      '  - b in here 3 USD',
      '  ~ a in here 1 -> 1.5 USD',
    ]);
  });

  it.each<[string, readonly CatalogRow[], readonly RegExp[]]>([
    ['the same', HUNDRED, []],
    ['a tenth less', HUNDRED.slice(10), []],
    ['more than a tenth less', HUNDRED.slice(11), [/^11 of 100 prices \(11 %\) would be gone, more than 10 %$/]],
    ['nothing', [], [/^nothing was read$/, /^no price is left$/, /^100 of 100/]],
    ['one price twice as high', HUNDRED.map((each, index) => (index === 7 ? row('m7', 17) : each)), []],
    [
      'two prices a thousandth',
      HUNDRED.map((each, index) => (index < 2 ? { ...each, price: each.price / 1000 } : each)),
      [/^2 prices jump: m0 in here from 1 to 0.001 USD, for example$/],
    ],
  ])('of which the list now has %s is taken or not', (_what, rows, objections) => {
    const refreshed = refreshCatalog(HUNDRED, reading(rows));
    expect(refreshed.objections).toHaveLength(objections.length);
    for (const [index, objection] of objections.entries()) expect(refreshed.objections[index]).toMatch(objection);
  });

  it('lets spot prices move further than those of lists', () => {
    const spot = HUNDRED.map((each) => ({ ...each, isSpot: true }));
    expect(refreshCatalog(spot, reading(spot.map((each) => ({ ...each, price: each.price * 5 })))).objections).toEqual(
      [],
    );
    expect(
      refreshCatalog(spot, reading(spot.map((each) => ({ ...each, price: each.price * 9 })))).objections,
    ).toHaveLength(1);
  });

  it('of a whole cloud is the same when nothing has changed', () => {
    const rows = allRows(bundledCatalog('oci'));
    const { changes, objections } = refreshCatalog(rows, { rows, covers: () => true, failed: [], remarks: [] });
    expect({ added: changes.added, removed: changes.removed, objections }).toEqual({
      added: [],
      removed: [],
      objections: [],
    });
    expect(changes.after).toBe(rows.length);
  });
});
