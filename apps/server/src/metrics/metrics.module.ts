import { Module } from '@nestjs/common';
import { LogsModule } from '../logs/logs.module.js';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { MetricsStore } from './metrics-store.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';
import { PrometheusController } from './prometheus/prometheus.controller.js';
import { PrometheusService } from './prometheus/prometheus.service.js';

@Module({
  imports: [LogsModule],
  controllers: [MetricsController, PrometheusController],
  providers: [
    MetricsService,
    PrometheusService,
    {
      provide: MetricsStore,
      inject: [Database, WORLD],
      useFactory: (db: Database, world: World) => new MetricsStore(db, world),
    },
  ],
  exports: [MetricsStore],
})
export class MetricsModule {}
