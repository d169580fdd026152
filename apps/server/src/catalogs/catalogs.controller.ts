import { bundledClouds } from '@dstack/catalog';
import { Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { Access } from '../http/access.decorator.js';
import { ClientError } from '../http/api-errors.js';
import { QueryDtoPipe } from '../http/query-dto.pipe.js';
import { CatalogRefresher } from './catalog-refresher.js';
import { describeCatalog, type DescribedCatalog } from './describe-catalog.js';
import type { RefreshCatalogsQuery } from './refresh-catalogs-query.dto.js';
import { StoredCatalogs } from './stored-catalogs.js';

async function refreshQuery() {
  return (await import('./refresh-catalogs-query.dto.js')).RefreshCatalogsQuery;
}

/** How old prices are, and how reading them went. */
@Controller()
export class CatalogsController {
  constructor(
    @Inject(StoredCatalogs) private readonly catalogs: StoredCatalogs,
    @Inject(CatalogRefresher) private readonly refresher: CatalogRefresher,
  ) {}

  @Get('api/server/catalogs')
  @Access('authenticated')
  async list(): Promise<DescribedCatalog[]> {
    await this.catalogs.load();
    return bundledClouds().map((cloud) =>
      describeCatalog(cloud, this.catalogs.of(cloud), this.catalogs.stateOf(cloud)),
    );
  }

  /** Of clouds that a project uses. They are read by and by: the list tells how it went. */
  @Post('api/server/refresh_catalogs')
  @HttpCode(202)
  @Access('global_admin')
  async refresh(@Query(new QueryDtoPipe(refreshQuery)) { cloud, force }: RefreshCatalogsQuery): Promise<void> {
    const readable = await this.refresher.clouds();
    const wanted = cloud === undefined ? readable : readable.filter((each) => each === cloud);
    if (wanted.length === 0) throw new ClientError(noList(cloud, readable));
    await this.refresher.want(wanted, force ?? false);
  }
}

function noList(cloud: string | undefined, readable: readonly string[]): string {
  const which = readable.length === 0 ? 'none can be' : `those that can be: ${readable.join(', ')}`;
  return `No price list ${cloud === undefined ? '' : `of ${cloud} `}can be read (${which}): a project must use the cloud, and Google's needs DSTACK_SERVER_CATALOG_GOOGLE_API_KEY`;
}
