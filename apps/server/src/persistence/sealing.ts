/** How text that may be a secret is kept in a column beside what is none. */
export interface Sealing {
  seal(text: string): string;
  open(sealed: string): string;
}

/** Until the keys are known, and where there are none. */
export const UNSEALED: Sealing = { seal: (text) => text, open: (sealed) => sealed };
