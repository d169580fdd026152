import { csvRows, toolNumber, toolValue } from '../gpu/tool-value.js';
import { failure, type Incident, warning } from './incident.js';

export const NVIDIA_ECC_ARGS = [
  '--query-gpu=index,uuid,utilization.gpu,ecc.errors.uncorrected.volatile.total,retired_pages.double_bit.count,retired_pages.pending',
  '--format=csv,noheader,nounits',
] as const;
/** Devices since Ampere, which replace rows of memory instead of retiring pages. */
export const NVIDIA_ROWS_ARGS = [
  '--query-remapped-rows=gpu_uuid,remapped_rows.pending,remapped_rows.failure',
  '--format=csv,noheader,nounits',
] as const;

/** As many as NVIDIA replaces a device for. */
const MAX_RETIRED_PAGES = 60;

/** Also names the devices by index for others to speak of: UUIDs tell a person nothing. */
export function judgeNvidiaEcc(text: string): { incidents: Incident[]; indexByUuid: ReadonlyMap<string, string> } {
  const incidents: Incident[] = [];
  const indexByUuid = new Map<string, string>();
  for (const row of csvRows(text)) {
    const [index = '?', uuid = '', _utilisation, uncorrected, retired, pending] = row;
    if (!uuid.startsWith('GPU-')) continue;
    indexByUuid.set(uuid, index);
    // What the tool prints in place of any value it cannot have any more.
    if (row.some((field) => /requires reset/i.test(field))) incidents.push(failure(`GPU ${index} has to be reset`));
    const errors = toolNumber(uncorrected) ?? 0;
    const pages = toolNumber(retired) ?? 0;
    if (errors > 0) {
      const what = errors === 1 ? '1 uncorrectable memory error' : `${errors} uncorrectable memory errors`;
      incidents.push(failure(`GPU ${index}: ${what} since its driver was loaded; reset the GPU`));
    }
    if (pages >= MAX_RETIRED_PAGES)
      incidents.push(failure(`GPU ${index}: ${pages} memory pages are retired; replace it`));
    if (isYes(pending)) incidents.push(warning(`GPU ${index}: memory pages wait for a reset of the GPU to be retired`));
  }
  return { incidents, indexByUuid };
}

export function judgeNvidiaRows(text: string, indexByUuid: ReadonlyMap<string, string>): Incident[] {
  return csvRows(text).flatMap(([uuid = '', pending, failed]) => {
    if (!uuid.startsWith('GPU-')) return [];
    const gpu = `GPU ${indexByUuid.get(uuid) ?? uuid}`;
    if (isYes(failed)) return [failure(`${gpu}: a faulty row of memory could not be replaced; replace the GPU`)];
    if (isYes(pending)) return [warning(`${gpu}: faulty rows of memory wait for a reset of the GPU to be replaced`)];
    return [];
  });
}

function isYes(text: string | undefined): boolean {
  return /^yes$/i.test(toolValue(text) ?? '') || (toolNumber(text) ?? 0) > 0;
}
