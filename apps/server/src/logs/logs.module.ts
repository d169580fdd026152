import { Module } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';
import { FileLogStore } from './file-log-store.js';
import { LOG_STORE, type LogStore } from './log-store.js';
import { LogsController } from './logs.controller.js';
import { LogsService } from './logs.service.js';
import { SqlLogStore } from './sql-log-store.js';

@Module({
  controllers: [LogsController],
  providers: [
    LogsService,
    {
      provide: LOG_STORE,
      inject: [Database, SETTINGS, WORLD],
      // Files are one process's; with Postgres there may be several.
      useFactory: (db: Database, settings: ServerSettings, world: World): LogStore =>
        db.dialect === 'sqlite' ? new FileLogStore(settings.serverDir) : new SqlLogStore(db, world.scheduler),
    },
  ],
  exports: [LOG_STORE, LogsService],
})
export class LogsModule {}
