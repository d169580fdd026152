/** How Oracle says no. */
export class OciRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export function unknownOrForbidden(what: string): OciRefusal {
  return new OciRefusal(
    404,
    'NotAuthorizedOrNotFound',
    `Authorization failed or requested resource not found. (${what})`,
  );
}

export type Json = Readonly<Record<string, unknown>>;
