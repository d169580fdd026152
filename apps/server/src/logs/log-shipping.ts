import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { SettingsError } from '../settings/settings-error.js';
import { WORLD, type World } from '../world/world.js';
import { FileLogStore } from './file-log-store.js';
import { LOG_STORE, type LogStore } from './log-store.js';
import { LogBacklog } from './sinks/log-backlog.js';
import { LogSegments } from './sinks/log-segments.js';
import { LogShipper, type ShippingCounts } from './sinks/log-shipper.js';
import { type LogSink, LogSinkError } from './sinks/log-sink.js';
import { openSink } from './sinks/open-sink.js';
import { SinkLogStore } from './sinks/sink-log-store.js';
import { SqlLogStore } from './sql-log-store.js';

/** Of a server that ships logs. */
export interface ShippingState extends Readonly<ShippingCounts> {
  readonly sink: string;
  readonly waitingBytes: number;
  readonly mostBytes: number;
}

export interface OpenedLogs {
  readonly store: LogStore;
  /** Null: logs stay here. */
  readonly shipper: LogShipper | null;
  readonly state: () => Promise<ShippingState | null>;
}

/** The injection token of the logs as the settings have them. */
export const OPENED_LOGS = Symbol('OpenedLogs');

export interface LogParts {
  readonly db: Database;
  readonly settings: ServerSettings;
  readonly world: World;
  readonly holder: string;
}

/** @throws {SettingsError} when the service that shall keep them does not let this server in */
export async function openLogs({ db, settings, world, holder }: LogParts): Promise<OpenedLogs> {
  // Files are one process's; with Postgres there may be several.
  const files = db.dialect === 'sqlite' ? new FileLogStore(settings.serverDir) : null;
  if (settings.logSink === undefined)
    return { store: files ?? new SqlLogStore(db, world.scheduler), shipper: null, state: async () => null };
  const sink = await checkedSink(settings.logSink, world);
  const recent = new SqlLogStore(db, world.scheduler, { ships: true });
  const segments = new LogSegments(db);
  const mostBytes = settings.logBufferBytes;
  const backlog = new LogBacklog(segments, sink.name, mostBytes, world);
  const shipper = new LogShipper({ db, recent, segments, sink, backlog, mostBytes, holder, world });
  return {
    store: new SinkLogStore({ recent, segments, sink, backlog, files }),
    shipper,
    state: async () => ({
      ...shipper.counts,
      sink: sink.name,
      waitingBytes: (await backlog.now()).bytes,
      mostBytes,
    }),
  };
}

/** One that is only down now is waited for. */
async function checkedSink(settings: NonNullable<ServerSettings['logSink']>, world: World): Promise<LogSink> {
  const log = new Logger('Logs');
  try {
    const sink = await openSink(settings, world.clock);
    try {
      await sink.check();
      log.log(`Logs of jobs go to ${sink.name}`);
    } catch (error) {
      if (!(error instanceof LogSinkError && error.kind === 'outage')) throw error;
      log.warn(`${sink.name} cannot be reached; logs wait in the database until it can: ${error.message}`);
    }
    return sink;
  } catch (error) {
    if (error instanceof LogSinkError) throw new SettingsError(`Logs of jobs cannot be kept there: ${error.message}.`);
    throw error;
  }
}

/** Ships while the server runs. */
@Injectable()
export class LogShipping implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(OPENED_LOGS) private readonly logs: OpenedLogs,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'backgroundProcessing'>,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.backgroundProcessing) this.logs.shipper?.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.logs.shipper?.stop();
  }
}

export const LOG_PROVIDERS = [
  LogShipping,
  {
    provide: OPENED_LOGS,
    inject: [Database, SETTINGS, WORLD],
    useFactory: (db: Database, settings: ServerSettings, world: World): Promise<OpenedLogs> =>
      openLogs({ db, settings, world, holder: world.ids.uuid() }),
  },
  { provide: LOG_STORE, inject: [OPENED_LOGS], useFactory: ({ store }: OpenedLogs): LogStore => store },
];
