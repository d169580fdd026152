import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional, Matches } from 'class-validator';

const toBoolean = ({ value }: { value: unknown }): unknown =>
  value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value;

/** Query of the request to read price lists now. */
export class RefreshCatalogsQuery {
  /** Absent: all that are read. */
  @IsOptional()
  @Matches(/^[a-z]{1,30}$/)
  cloud?: string;

  /** Take also what is hardly true. */
  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  force?: boolean;
}
