/** A price list that cannot be read: where, and what of it. `field` is the path inside the reply, where one is to blame. */
export class CatalogSourceError extends Error {
  override readonly name = 'CatalogSourceError';

  constructor(
    readonly url: string,
    problem: string,
    readonly field: string | null = null,
    options?: ErrorOptions,
  ) {
    super(`${url}${field === null ? '' : `, ${field}`}: ${problem}`, options);
  }
}
