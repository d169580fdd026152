import { catalogOffers } from '@dstack/backend-base/catalog-table';
import type { Offer } from '@dstack/core';
import { DISK_GB, type GpuOffersRequest, isInStock, roundedPrice, type Stock } from './offers.js';
import type { RunpodClusterType } from './schema.js';

/** Of these nobody has to ask RunPod's people. */
const NODES = { min: 2, max: 8 };
const FLAG = 'runpod-cluster';

/** As RunPod sells them now, by type. */
export type ClusterTypes = ReadonlyMap<string, RunpodClusterType>;

/** Pods of whole machines with a network between them, for tasks of several nodes: the price is of one pod. */
export function clusterOffers({ catalog, requirements, places: { dataCenters } }: GpuOffersRequest): Offer[] {
  const offers = catalogOffers({
    backend: 'runpod',
    runtime: 'runner',
    catalog,
    requirements,
    isSold: ({ flags }) => flags.length === 1 && flags[0] === FLAG,
    placeOf: (location) =>
      dataCenters === null || dataCenters.includes(location) ? { region: location, zones: null } : null,
    diskRangeGb: DISK_GB,
    availabilityOf: () => ({ availability: 'unknown' }),
  });
  return offers.map((offer) => ({ ...offer, group_nodes: NODES }));
}

/** At today's price, in the data centers that have clusters of the type today. Null: nobody could be asked. */
export function withClusterStock(offer: Offer, types: ClusterTypes | null, stock: Stock | null): Offer {
  const priced = types === null ? offer : atPrice(offer, types.get(offer.instance.name));
  if (stock === null || priced.availability === 'not_available') return priced;
  const level = stock.get(offer.instance.name)?.dataCenters?.find(({ id }) => id === offer.region)?.availability;
  return { ...priced, availability: isInStock(level) ? 'available' : 'not_available' };
}

function atPrice(offer: Offer, type: RunpodClusterType | undefined): Offer {
  const isHere = type?.nodeGroupDatacenters?.some(({ id }) => id === offer.region) ?? false;
  const price = type?.clusterPrice ?? 0;
  const gpus = offer.instance.resources.gpus.length;
  // Nothing is sold for nothing: a price of 0 says that it is not sold there.
  if (!isHere || price <= 0 || gpus > (type?.maxGpuCount ?? gpus)) return { ...offer, availability: 'not_available' };
  const { priced: _ofTheCatalog, ...live } = offer;
  return { ...live, price: roundedPrice(price * gpus) };
}
