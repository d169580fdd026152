import { Module } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { MetricsStore } from './metrics-store.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';

@Module({
  controllers: [MetricsController],
  providers: [
    MetricsService,
    {
      provide: MetricsStore,
      inject: [Database, WORLD],
      useFactory: (db: Database, world: World) => new MetricsStore(db, world.ids),
    },
  ],
  exports: [MetricsStore],
})
export class MetricsModule {}
