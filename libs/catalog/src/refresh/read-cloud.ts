import type { CatalogRow } from '../catalog-row.js';
import { type AwsAccount, readAws } from './aws-prices.js';
import { readAzure } from './azure-prices.js';
import { type GcpKey, readGcp } from './gcp-prices.js';
import { readLambda } from './lambda-prices.js';
import { readOci } from './oci-prices.js';
import type { Reading } from './reading.js';
import { readRunpod } from './runpod-prices.js';
import type { PriceSource } from './source-client.js';

/** The clouds whose price lists are read, in the order of `bundledClouds`. */
export const READ_CLOUDS = ['aws', 'azure', 'gcp', 'lambda', 'oci', 'runpod'] as const;
export type ReadCloud = (typeof READ_CLOUDS)[number];

/** What is known beside the public lists; each part may be missing, and less is read then. */
export interface CloudAccounts {
  readonly aws?: AwsAccount;
  readonly azure?: { readonly subscription: string; readonly token: string };
  readonly gcp?: { readonly key: GcpKey; readonly project: string | null };
  readonly lambda?: { readonly apiKey: string };
}

/** Another address of a price list: a mirror, or a stand-in. By the name of the list, such as `aws` or `azure-management`. */
export type SourceUrls = Readonly<Record<string, string>>;

export interface CloudReader {
  readonly source: PriceSource;
  readonly now: () => number;
  readonly current: readonly CatalogRow[];
  readonly accounts: CloudAccounts;
  readonly urls: SourceUrls;
  /** Of AWS, whose lists are large: those to read. Null: all. */
  readonly awsRegions: readonly string[] | null;
}

/** Raised where a price list is read with a key alone, and there is none. */
export class NoKeyError extends Error {
  override readonly name = 'NoKeyError';
}

/** @throws {CatalogSourceError} when nothing can be read, {@link NoKeyError} */
export async function readCloud(cloud: ReadCloud, reader: CloudReader): Promise<Reading> {
  const { source, now, current, accounts, urls, awsRegions } = reader;
  const base = { source, now, current };
  switch (cloud) {
    case 'aws':
      return readAws({
        ...base,
        regions: awsRegions,
        account: accounts.aws ?? null,
        ...given({ pricesUrl: urls['aws'], spotAdviceUrl: urls['aws-spot-advice'] }),
      });
    case 'azure':
      return readAzure({
        ...base,
        account: accounts.azure ?? null,
        ...given({ pricesUrl: urls['azure'], managementUrl: urls['azure-management'] }),
      });
    case 'gcp': {
      if (accounts.gcp === undefined) {
        throw new NoKeyError("Google's billing catalog is told to those with an API key or a token only");
      }
      return readGcp({
        ...base,
        ...accounts.gcp,
        ...given({ billingUrl: urls['gcp'], computeUrl: urls['gcp-compute'] }),
      });
    }
    case 'lambda': {
      if (accounts.lambda === undefined) throw new NoKeyError("Lambda's prices are told to those with an API key only");
      return readLambda({ source, now, ...accounts.lambda, ...given({ apiUrl: urls['lambda'] }) });
    }
    case 'oci':
      return readOci({ ...base, ...given({ productsUrl: urls['oci'], shapesUrl: urls['oci-shapes'] }) });
    case 'runpod':
      return readRunpod({ ...base, ...given({ apiUrl: urls['runpod'] }) });
  }
}

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

function given<T extends Record<string, string | undefined>>(values: T): Given<T> {
  // Of the same keys, without those that are not there.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}
