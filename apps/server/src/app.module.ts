import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { notBuiltController } from './http/not-built.controller.js';
import { PROXY_OPERATIONS } from './services/proxy/proxy-routes.js';
import { PlatformModule, PLATFORM_CONTROLLERS, type PlatformParts } from './platform.module.js';

@Module({})
export class AppModule {
  static of(parts: PlatformParts, workload: readonly Type[]): DynamicModule {
    const built = [...PLATFORM_CONTROLLERS, ...workload.flatMap(controllersOf)];
    return {
      module: AppModule,
      imports: [PlatformModule.of(parts), ...workload],
      controllers: [notBuiltController(built, PROXY_OPERATIONS)],
    };
  }
}

/** Of a module and all that it imports. */
function controllersOf(module: Type): Type[] {
  const own = (Reflect.getMetadata('controllers', module) ?? []) as Type[];
  const imported = (Reflect.getMetadata('imports', module) ?? []) as (Type | DynamicModule)[];
  return [...own, ...imported.flatMap((item) => ('module' in item ? (item.controllers ?? []) : controllersOf(item)))];
}
