import { fileURLToPath } from 'node:url';

/** The files that `@dstack/catalog` brings. */
export const DATA_DIRECTORY = fileURLToPath(new URL('../../../libs/catalog/data/', import.meta.url));
