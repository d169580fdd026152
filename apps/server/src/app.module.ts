import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { PlatformModule, type PlatformParts } from './platform.module.js';

@Module({})
export class AppModule {
  static of(parts: PlatformParts, workload: readonly Type[]): DynamicModule {
    return { module: AppModule, imports: [PlatformModule.of(parts), ...workload] };
  }
}
