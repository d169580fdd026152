export { type AwsAccount } from './aws-prices.js';
export { type CatalogChanges, compareRows, type PriceChange } from './compare-rows.js';
export { describeChanges } from './describe-changes.js';
export { type GcpKey } from './gcp-prices.js';
export { judgeChanges, REFRESH_LIMITS, type RefreshLimits } from './judge-changes.js';
export {
  type CloudAccounts,
  type CloudReader,
  NoKeyError,
  READ_CLOUDS,
  type ReadCloud,
  readCloud,
  type SourceUrls,
} from './read-cloud.js';
export type { FailedPlace, Reading } from './reading.js';
export { allRows, refreshCatalog, type RefreshedCatalog } from './refresh-catalog.js';
export { type PriceSource, SourceClient, type SourceRequest, type SourceWorld } from './source-client.js';
export { CatalogSourceError } from './source-error.js';
