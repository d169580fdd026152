import type { PullProgress } from '@dstack/agent-protocol';
import { z } from 'zod';

const message = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  progressDetail: z
    .object({ current: z.number().optional(), total: z.number().optional(), units: z.string().optional() })
    .nullish(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).optional(),
});

interface Layer {
  readonly downloaded: number;
  readonly extracted: number;
  /** Undefined until the registry has said it, or the layer is done. */
  readonly total: number | undefined;
}

export interface PullState {
  readonly layers: ReadonlyMap<string, Layer>;
  /** The engine's last word, `Status: …`; a stream that ends without it broke. */
  readonly finalStatus?: string;
  readonly error?: string;
}

export const PULL_BEGIN: PullState = { layers: new Map() };

/** One line of the engine's answer to a pull. A line that is none of ours changes nothing. */
export function advancePull(state: PullState, line: string): PullState {
  const parsed = message.safeParse(parseJson(line));
  if (!parsed.success) return state;
  const { id, status = '', progressDetail, error, errorDetail } = parsed.data;
  const failure = errorDetail?.message ?? error;
  if (failure !== undefined) return { ...state, error: failure };
  if (id === undefined) return status.startsWith('Status: ') ? { ...state, finalStatus: status.slice(8) } : state;
  const layer = advanceLayer(state.layers.get(id), status, progressDetail ?? {});
  return layer === undefined ? state : { ...state, layers: new Map(state.layers).set(id, layer) };
}

export function pullProgress({ layers, finalStatus }: PullState): PullProgress {
  let downloadedBytes = 0;
  let extractedBytes = 0;
  let totalBytes = 0;
  let allKnown = layers.size > 0;
  for (const layer of layers.values()) {
    downloadedBytes += layer.downloaded;
    extractedBytes += layer.extracted;
    totalBytes += layer.total ?? layer.downloaded;
    allKnown &&= layer.total !== undefined;
  }
  return { downloadedBytes, extractedBytes, totalBytes, isTotalFinal: allKnown || finalStatus !== undefined };
}

type Detail = NonNullable<z.infer<typeof message>['progressDetail']>;

const FRESH: Layer = { downloaded: 0, extracted: 0, total: undefined };

function advanceLayer(known: Layer | undefined, status: string, detail: Detail): Layer | undefined {
  const layer = known ?? FRESH;
  // Engines with the containerd store tell of extraction in seconds, not bytes.
  const inBytes = detail.units === undefined || detail.units === '' || detail.units === 'bytes';
  const current = inBytes ? detail.current : undefined;
  const total = inBytes && detail.total !== undefined && detail.total > 0 ? detail.total : layer.total;
  switch (status) {
    case 'Pulling fs layer':
    case 'Waiting':
      return layer;
    case 'Downloading':
      return { ...layer, total, downloaded: current ?? layer.downloaded };
    case 'Verifying Checksum':
    case 'Download complete': {
      const whole = total ?? layer.downloaded;
      return { ...layer, total: whole, downloaded: whole };
    }
    case 'Extracting': {
      const whole = total ?? layer.downloaded;
      return { downloaded: whole, total: whole, extracted: current ?? layer.extracted };
    }
    case 'Pull complete': {
      const whole = total ?? layer.downloaded;
      return { downloaded: whole, extracted: whole, total: whole };
    }
    case 'Already exists':
      return { downloaded: 0, extracted: 0, total: 0 };
    default:
      // `Pulling from library/debian` carries the tag as its id: not a layer.
      return status.startsWith('Retrying in') ? { ...layer, downloaded: 0 } : undefined;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
