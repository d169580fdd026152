export { bundledCatalog, bundledClouds } from './bundled-catalogs.js';
export { buildColumns } from './build-catalog.js';
export { Catalog, type CatalogColumns, type CatalogFilter } from './catalog.js';
export { CatalogFileError, decodeCatalog, encodeCatalog, encodeCatalogBeside } from './catalog-file.js';
export type { CatalogGpu, CatalogRow, CatalogType, PriceSource } from './catalog-row.js';
export { lambdaType, type LambdaInstanceType } from './lambda-type.js';
export { typeResources } from './type-resources.js';
