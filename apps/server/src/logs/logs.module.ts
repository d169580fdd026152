import { Module } from '@nestjs/common';
import { LOG_PROVIDERS, OPENED_LOGS } from './log-shipping.js';
import { LOG_STORE } from './log-store.js';
import { LogsController } from './logs.controller.js';
import { LogsService } from './logs.service.js';

@Module({
  controllers: [LogsController],
  providers: [LogsService, ...LOG_PROVIDERS],
  exports: [LOG_STORE, OPENED_LOGS, LogsService],
})
export class LogsModule {}
