/** Countries are where the community cloud is; data centers have a dash in their names. */
export function isCountry(region: string): boolean {
  return !region.includes('-');
}

export interface Places {
  /** Null: all. */
  readonly dataCenters: readonly string[] | null;
  readonly countries: readonly string[];
}

export function placesOf(regions: readonly string[] | null, hasCommunity: boolean): Places {
  if (regions === null) return { dataCenters: null, countries: [] };
  return {
    dataCenters: regions.filter((region) => !isCountry(region)).map((region) => region.toUpperCase()),
    countries: hasCommunity ? regions.filter(isCountry).map((region) => region.toUpperCase()) : [],
  };
}
