import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

const NAME = /^[a-zA-Z0-9_.-]{1,60}$/;
const NAME_MESSAGE = 'a name has letters, digits, . - and _, at most 60';
const TEN_YEARS_S = 315_360_000;

export class OfUser {
  /** The caller when absent. */
  @IsOptional()
  @IsString()
  username?: string;
}

export class CreateToken extends OfUser {
  @IsString()
  @Matches(NAME, { message: NAME_MESSAGE })
  name!: string;

  /** Seconds; for ever when absent. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(TEN_YEARS_S)
  expires_in?: number;
}

export class DeleteTokens extends OfUser {
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(1_000)
  @IsString({ each: true })
  names!: string[];
}

export class CreateServiceAccount {
  @IsString()
  username!: string;
}
