/** One thing that was looked at. `text` of a warning or error ends with what to do. */
export interface Finding {
  readonly subject: string;
  readonly level: 'ok' | 'warning' | 'error';
  readonly text: string;
}

export const ok = (subject: string, text: string): Finding => ({ subject, level: 'ok', text });
export const warning = (subject: string, text: string): Finding => ({ subject, level: 'warning', text });
export const error = (subject: string, text: string): Finding => ({ subject, level: 'error', text });
