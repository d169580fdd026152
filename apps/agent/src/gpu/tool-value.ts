const PLACEHOLDER = /^\[?(n\/?a|unknown( error)?|not (supported|available)|none|insufficient permissions)\]?$/i;

/** What a vendor's tool printed, or undefined when it printed a word for "I do not know". */
export function toolValue(text: string | undefined): string | undefined {
  const value = text?.trim() ?? '';
  return value === '' || PLACEHOLDER.test(value) ? undefined : value;
}

/** The leading number of `81559`, `81559 MiB`, `12 %`; undefined for anything else. */
export function toolNumber(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:[A-Za-z%/]+)?$/.exec(toolValue(text) ?? '');
  return match === null ? undefined : Number(match[1]);
}

export function csvRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((field) => field.trim()));
}

/** Tools put warnings above their JSON: a missing group, an old driver. Undefined when there is none. */
export function parseToolJson(text: string): unknown {
  const start = text.search(/^[[{]/m);
  try {
    return JSON.parse(text.slice(Math.max(0, start))) as unknown;
  } catch {
    return undefined;
  }
}
