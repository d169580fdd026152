import type { Variable } from '../variable.js';

export const PRICES = {
  DSTACK_SERVER_CATALOG_REFRESH_SECONDS: {
    type: 'integer',
    default: 7 * 24 * 3_600,
    says: 'How often price lists of clouds are read; 0: never',
    ours: true,
  },
  DSTACK_SERVER_CATALOG_URL: {
    type: 'text',
    otherwise: "the clouds' own lists",
    says: 'Where catalogs are published, as `npm run catalog -- refresh --out` makes them',
    ours: true,
  },
  DSTACK_SERVER_CATALOG_GOOGLE_API_KEY: {
    type: 'text',
    says: "For Google's billing catalog, which is told to those with a key only",
    secret: true,
    ours: true,
  },
} as const satisfies Readonly<Record<string, Variable>>;
