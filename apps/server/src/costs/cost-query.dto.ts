import { IsISO8601, IsOptional } from 'class-validator';

/** Query of the costs. */
export class CostQuery {
  /** 30 days ago when absent. */
  @IsOptional()
  @IsISO8601()
  since?: string;

  /** Now when absent. */
  @IsOptional()
  @IsISO8601()
  until?: string;
}
