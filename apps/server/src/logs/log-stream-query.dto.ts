import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsUUID, Min } from 'class-validator';

const toBoolean = ({ value }: { value: unknown }): unknown =>
  value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value;

/** Query of the log stream. */
export class LogStreamQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  replica?: number;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  job?: number;

  @IsOptional()
  @IsUUID()
  submission_id?: string;

  /** Byte offset to start at. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  after?: number;

  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  follow?: boolean;

  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  diagnose?: boolean;
}
