import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { AccessLevel } from './contract.js';

export const ACCESS = 'dstack:access';

/** For routes outside the contract; `Operation` sets it by itself. A route without a level lets nobody in. */
export const Access = (level: AccessLevel): CustomDecorator => SetMetadata(ACCESS, level);
