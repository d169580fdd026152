import { notFound, GoogleRefusal } from './google-refusal.js';
import { HOST, type Json } from './gce-types.js';

export interface FakeOperation {
  readonly name: string;
  readonly scope: Json;
  readonly target: string;
  /** So many more looks find it unfinished. */
  looks: number;
  readonly error: { readonly code: string; readonly message: string; readonly status: number } | null;
}

/** What was begun, and how far it is. */
export class GceOperations {
  /** So many looks find a new operation unfinished. */
  looks = 1;
  private readonly operations = new Map<string, FakeOperation>();
  private readonly byRequestId = new Map<string, FakeOperation>();
  private nextId = 1;

  /** Whatever they were at. */
  finishAll(): void {
    for (const operation of this.operations.values()) operation.looks = 0;
  }

  /** As Google does after an hour. */
  forgetRequests(): void {
    this.byRequestId.clear();
  }

  /** The same request again is answered with what it began. */
  once(query: URLSearchParams, work: () => FakeOperation): unknown {
    const requestId = query.get('requestId');
    if (requestId === null) return viewOperation(work());
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(requestId))
      throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'requestId': '${requestId}'.`);
    const begun = this.byRequestId.get(requestId) ?? work();
    this.byRequestId.set(requestId, begun);
    return viewOperation(begun);
  }

  begin(scope: Json, target: string, error: FakeOperation['error'] = null): FakeOperation {
    const id = this.nextId++;
    const operation = { name: `operation-${id}-fake`, scope, target, looks: this.looks, error };
    this.operations.set(operation.name, operation);
    return operation;
  }

  /** One look brings it nearer to its end. */
  look(name: string): unknown {
    const operation = this.operations.get(name);
    if (operation === undefined) throw notFound(`operations/${name}`);
    operation.looks -= 1;
    return viewOperation(operation);
  }
}

export function viewOperation({ name, scope, target, looks, error }: FakeOperation): unknown {
  const isDone = looks <= 0;
  return {
    kind: 'compute#operation',
    name,
    status: isDone ? 'DONE' : 'RUNNING',
    progress: isDone ? 100 : 0,
    targetLink: target,
    ...Object.fromEntries(Object.entries(scope).map(([key, value]) => [key, `${HOST}/${key}s/${String(value)}`])),
    ...(isDone && error !== null
      ? {
          error: { errors: [{ code: error.code, message: error.message }] },
          httpErrorStatusCode: error.status,
          httpErrorMessage: 'SERVICE UNAVAILABLE',
        }
      : {}),
  };
}
