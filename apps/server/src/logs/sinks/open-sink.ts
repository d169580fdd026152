import type { LogSinkSettings } from '../../settings/log-settings.js';
import type { Clock } from '../../world/world.js';
import type { LogSink } from './log-sink.js';

/** The service that logs go to; its library is loaded when one is configured. @throws {LogSinkError} */
export async function openSink(settings: LogSinkSettings, clock: Clock): Promise<LogSink> {
  switch (settings.type) {
    case 'cloudwatch': {
      const { CloudWatchSink } = await import('./cloudwatch-sink.js');
      return CloudWatchSink.open({ group: settings.group, region: settings.region, clock });
    }
    case 'gcp': {
      const { GcpLoggingSink } = await import('./gcp-logging-sink.js');
      const { project, endpoint } = settings;
      return new GcpLoggingSink({ project, ...(endpoint === undefined ? {} : { endpoint }) });
    }
    case 'fluentbit': {
      const { FluentBitSink } = await import('./fluentbit-sink.js');
      const { ElasticsearchReader } = await import('./elasticsearch-reader.js');
      const { elasticsearch, ...options } = settings;
      return new FluentBitSink({
        ...options,
        reader: elasticsearch === null ? null : new ElasticsearchReader(elasticsearch),
      });
    }
  }
}
