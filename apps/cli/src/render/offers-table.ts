import type { Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';
import { type Cell, renderTable } from '../terminal/table.js';
import { formatBackend } from './backend.js';
import { formatPrice } from './price.js';
import { isDerived, priceOrigins } from './price-origins.js';
import { formatResources } from './resources.js';

export interface OffersTableOptions {
  readonly style: Style;
  readonly width: number;
  readonly total: number;
  readonly maxPrice?: number | null | undefined;
  /** All but the first are alternatives, shown grey. */
  readonly firstIsChosen: boolean;
}

const AVAILABILITY: Readonly<Record<Wire.InstanceAvailability, string>> = {
  available: '',
  unknown: '',
  idle: 'idle',
  busy: 'busy',
  no_quota: 'no quota',
  no_balance: 'no balance',
  not_available: 'not available',
};

/** Offers with their prices, and how many more there are. Pure. */
export function offersTable(
  offers: readonly Wire.InstanceOfferWithAvailability[],
  options: OffersTableOptions,
): string {
  const { style } = options;
  const rows = offers.map((offer, i) => {
    const paint = options.firstIsChosen && i > 0 ? style.secondary : undefined;
    const blocks = (offer.total_blocks ?? 1) > 1 ? ` (${offer.blocks ?? 1}/${offer.total_blocks ?? 1})` : '';
    const spot = offer.instance.resources.spot ? ' (spot)' : '';
    const texts = [
      String(i + 1),
      formatBackend(offer),
      formatResources(offer.instance.resources),
      `${offer.instance.name}${blocks}`,
      `${isDerived(offer) ? '~' : ''}${formatPrice(offer.price)}${spot}`,
      AVAILABILITY[offer.availability],
    ];
    return texts.map((text): Cell => ({ text, paint }));
  });
  if (options.total > offers.length) rows.push([{ text: '' }, { text: '...', paint: style.secondary }]);
  const table = renderTable(
    [
      { title: '#' },
      { title: 'BACKEND', shrinkTo: 10 },
      { title: 'RESOURCES', shrinkTo: 16 },
      { title: 'INSTANCE TYPE', shrinkTo: 10 },
      { title: 'PRICE' },
      { title: '' },
    ],
    rows,
    { width: options.width, headPaint: style.bold },
  );
  const origins = priceOrigins(offers);
  const most = typeof options.maxPrice === 'number' ? `, ${formatPrice(options.maxPrice)} max` : '';
  return [
    table,
    ...(options.total <= offers.length ? [] : [` Shown ${offers.length} of ${options.total} offers${most}`]),
    ...(origins === null ? [] : [` ${style.secondary(origins)}`]),
  ].join('\n');
}
