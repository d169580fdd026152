import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { Access } from '../http/access.decorator.js';
import { QueryDtoPipe } from '../http/query-dto.pipe.js';
import { DescribedAs } from '../http/described.js';
import { CurrentCaller } from '../http/request-context.js';
import type { CostQuery } from './cost-query.dto.js';
import { type Costs, CostsService } from './costs.service.js';

async function costQuery() {
  return (await import('./cost-query.dto.js')).CostQuery;
}

@Controller()
export class CostsController {
  constructor(@Inject(CostsService) private readonly costs: CostsService) {}

  /** Not of the contract: that has the cost of a run only. */
  @Get('api/costs')
  @Access('authenticated')
  @DescribedAs('costs', 'What the machines of your projects have cost, by project and user', 'US dollars')
  list(@CurrentCaller() caller: Caller, @Query(new QueryDtoPipe(costQuery)) query: CostQuery): Promise<Costs> {
    return this.costs.list(caller, query);
  }
}
