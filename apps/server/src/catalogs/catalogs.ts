import { bundledCatalog, type Catalog } from '@dstack/catalog';

/** What clouds sell, as far as this server knows. An abstract class, so that it can be injected. */
export abstract class Catalogs {
  /** The newest there is; at least the one that was installed. */
  abstract of(cloud: string): Catalog;
  /** What people should know of the prices of a backend, one line; null: nothing. */
  abstract remarkOf(cloud: string): string | null;
}

/** Those that were installed, for ever. */
export class BundledCatalogs extends Catalogs {
  of(cloud: string): Catalog {
    return bundledCatalog(cloud);
  }

  remarkOf(): null {
    return null;
  }
}
