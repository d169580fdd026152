import type { TelemetrySettings } from '../settings/telemetry-settings.js';
import type { World } from '../world/world.js';
import { type LogLine, tellLines } from './log-lines.js';
import { scrubber } from './scrub.js';
import { TelemetryCounts } from './telemetry-counts.js';
import { recordSpans, type Tracer } from './traced.js';

export interface Telemetry {
  readonly counts: TelemetryCounts;
  /** Sends what is left, for a moment. */
  close(): Promise<void>;
}

/** The injection token of what is counted. */
export const TELEMETRY_COUNTS = Symbol('TelemetryCounts');

/** From now on what the server does is told to whom the settings name; the libraries for that are loaded here, and only then. */
export async function startTelemetry(
  { otel, sentry, environment, secrets }: TelemetrySettings,
  version: string,
  world: World,
): Promise<Telemetry> {
  const scrub = scrubber(secrets);
  const about = { environment, version, scrub };
  const sent = otel === null ? null : await (await import('./otel.js')).openOtel({ settings: otel, ...about });
  const reported =
    sentry === null
      ? null
      : await (
          await import('./sentry.js')
        ).openSentry({
          ...sentry,
          ...about,
          chance: () => world.random.next(),
          now: () => world.clock.now(),
        });
  const counts = new TelemetryCounts(() => performance.now(), sent?.measure ?? undefined);
  recordSpans(
    [sent?.tracer, reported?.tracer].filter((each): each is Tracer => each != null),
    counts,
  );
  tellLines([sent?.line, reported?.line].filter((each): each is (line: LogLine) => void => each != null));
  return {
    counts,
    close: async () => {
      recordSpans([]);
      tellLines([]);
      await Promise.all([sent?.close(), reported?.close()]);
    },
  };
}
