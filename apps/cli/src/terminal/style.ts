import pc from 'picocolors';

export type Paint = (text: string) => string;

/** Colours by meaning. Without colour every one of them is the identity. */
export interface Style {
  readonly secondary: Paint;
  readonly success: Paint;
  readonly warning: Paint;
  readonly error: Paint;
  readonly info: Paint;
  readonly code: Paint;
  readonly bold: Paint;
  readonly plain: Paint;
}

export function createStyle(colour: boolean): Style {
  const c = pc.createColors(colour);
  return {
    secondary: c.gray,
    success: c.green,
    warning: c.yellow,
    error: c.red,
    info: c.blue,
    code: (text) => c.bold(c.green(text)),
    bold: c.bold,
    plain: (text) => text,
  };
}

export const PLAIN_STYLE = createStyle(false);
