/** A refusal in the words of Google's APIs. */
export class GoogleRefusal extends Error {
  constructor(
    readonly status: number,
    /** Compute Engine's reason, `notFound`, or the status of the newer services, `NOT_FOUND`. */
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }

  /** Compute Engine tells the reason in `errors`, the newer services in `status`. */
  get body(): object {
    const { status: code, reason, message } = this;
    const isNew = /^[A-Z_]+$/.test(reason);
    return {
      error: {
        code,
        message,
        ...(isNew ? { status: reason } : { errors: [{ message, domain: 'global', reason }] }),
      },
    };
  }
}

export function notFound(path: string): GoogleRefusal {
  return new GoogleRefusal(404, 'notFound', `The resource '${path}' was not found`);
}
