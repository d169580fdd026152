import type { IncomingMessage, ServerResponse } from 'node:http';
import { CoreSchemas, STATUS } from './core-schemas.js';
import { type FakeNode, nodeObject } from './nodes.js';
import { type Created, Objects, type Stored } from './objects.js';
import type { PodRunner } from './pod-runner.js';
import { Pods } from './pods.js';
import { mayAccess, type Roles } from './rbac.js';
import { type Answer, failure, Refusal } from './refusal.js';
import { ServicePorts } from './service-ports.js';
import { byFields, byLabels } from './selectors.js';
import { HttpFake } from '../http/index.js';

/** Resources that are known, with the kind of their objects. */
const KINDS: Readonly<Record<string, string>> = {
  namespaces: 'Namespace',
  nodes: 'Node',
  pods: 'Pod',
  services: 'Service',
  secrets: 'Secret',
  persistentvolumeclaims: 'PersistentVolumeClaim',
};

export interface KubernetesFakeOptions {
  readonly token: string;
  readonly roles: Roles;
  /** Where the namespaced role is bound; made at the start. */
  readonly namespace: string;
  readonly nodes: readonly FakeNode[];
  readonly runner: PodRunner;
  /** This machine's address where ports of nodes lead to what their service selects; absent: they lead nowhere. */
  readonly openNodePorts?: string;
}

interface Target {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string | null;
  readonly name: string | null;
}

/** The core API of a cluster on loopback. What its published schema or the documented roles do not allow is in `violations`. */
export class KubernetesFake extends HttpFake {
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  readonly objects = new Objects();
  /** Whether anything serves services of type LoadBalancer. */
  balancesLoad = true;
  /** The next creates of pods are carried out and their answers lost. */
  lostCreates = 0;
  /** Objects a page holds at most, whatever the client asks for. */
  pageSize = 500;
  /** The next requests of the verb and resource (`create pods`) are answered so instead. */
  readonly refusals: { readonly of: string; readonly answer: Answer }[] = [];
  private readonly schemas = new CoreSchemas();
  private readonly pods: Pods;
  private readonly ports: ServicePorts;

  private constructor(readonly options: KubernetesFakeOptions) {
    super();
    this.pods = new Pods(this.objects, options.nodes, options.runner);
    this.ports = new ServicePorts(this.objects, options.openNodePorts ?? null);
    this.objects.create('namespaces', null, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: options.namespace },
    });
  }

  static start(options: KubernetesFakeOptions): Promise<KubernetesFake> {
    return new KubernetesFake(options).listen();
  }

  refuseNext(of: string, status: number, reason: string, message: string, headers = {}): void {
    this.refusals.push({ of, answer: { ...failure(status, reason, message), headers } });
  }

  override async close(): Promise<void> {
    await this.ports.close();
    await super.close();
    for (const pod of this.objects.list('pods', null)) await this.options.runner.stop(pod);
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const method = request.method ?? 'GET';
    const answer = await this.answer(method, url, request.headers.authorization, text);
    if (answer === null) return void response.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  /** Null: the connection breaks. */
  private async answer(method: string, url: URL, auth: string | undefined, text: string): Promise<Answer | null> {
    const target = targetOf(method, url.pathname);
    const what = target === null ? `${method} ${url.pathname}` : `${target.verb} ${target.resource}`;
    this.requests.push(what);
    const refused = this.refusals.findIndex(({ of }) => of === what);
    if (refused !== -1) return this.refusals.splice(refused, 1)[0]?.answer ?? null;
    try {
      if (auth !== `Bearer ${this.options.token}`) throw new Refusal(401, 'Unauthorized', 'Unauthorized');
      if (url.pathname === '/version') return { status: 200, body: VERSION };
      if (target === null) throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
      this.authorize(target);
      const answer = await this.carryOut(target, url.searchParams, text);
      this.note(this.schemas.problem(answer.type, answer.body));
      const isLost = what === 'create pods' && this.isJob(answer.body) && this.lostCreates > 0;
      if (isLost) this.lostCreates -= 1;
      return isLost ? null : { status: target.verb === 'create' ? 201 : 200, body: answer.body };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.note(this.schemas.problem(STATUS, error.answer.body));
      return error.answer;
    }
  }

  private note(violation: string | null): void {
    if (violation !== null) this.violations.push(violation);
  }

  private isJob(body: object): boolean {
    return (body as Stored).metadata.labels?.['app.kubernetes.io/name'] === 'dstack-job';
  }

  private authorize(target: Target): void {
    const { roles, namespace: home } = this.options;
    if (mayAccess(roles, target, home)) return;
    const { verb, resource, namespace } = target;
    const where = namespace === null ? 'at the cluster scope' : `in the namespace "${namespace}"`;
    const user = 'system:serviceaccount:dstack:dstack';
    const message = `${resource} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "" ${where}`;
    this.violations.push(message);
    throw new Refusal(403, 'Forbidden', message);
  }

  private async carryOut(
    { verb, resource, namespace, name }: Target,
    query: URLSearchParams,
    text: string,
  ): Promise<{ type: string; body: object }> {
    const kind = KINDS[resource] ?? '';
    switch (verb) {
      case 'list':
        return { type: `${kind}List`, body: this.list(resource, namespace, query) };
      case 'create':
        return { type: kind, body: this.create(resource, namespace, text) };
      case 'get':
        return { type: kind, body: this.looked(resource, this.existing(resource, namespace, name ?? '')) };
      default:
        return this.remove(resource, namespace, name ?? '');
    }
  }

  private list(resource: string, namespace: string | null, query: URLSearchParams): object {
    const kind = KINDS[resource] ?? '';
    const [labels, fields] = [byLabels(query.get('labelSelector')), byFields(query.get('fieldSelector'))];
    if (labels === undefined || fields === undefined)
      throw new Refusal(400, 'BadRequest', 'unable to parse requirement of the selector');
    const all = resource === 'nodes' ? this.options.nodes.map(nodeObject) : this.objects.list(resource, namespace);
    const found = resource === 'nodes' ? all : (all as Stored[]).filter((object) => labels(object) && fields(object));
    const from = Number(query.get('continue') ?? 0);
    const size = Math.min(this.pageSize, Number(query.get('limit') ?? found.length) || found.length);
    const next = from + size < found.length ? { continue: String(from + size) } : {};
    return {
      apiVersion: 'v1',
      kind: `${kind}List`,
      metadata: { resourceVersion: '1', ...next },
      // Items of lists have neither kind nor version.
      items: found.slice(from, from + size).map(({ apiVersion: _v, kind: _k, ...item }: Partial<Stored>) => item),
    };
  }

  private create(resource: string, namespace: string | null, text: string): Stored {
    const kind = KINDS[resource] ?? '';
    const body: unknown = JSON.parse(text);
    const problem = this.schemas.problem(kind, body);
    if (problem !== null) {
      this.violations.push(problem);
      throw new Refusal(422, 'Invalid', problem);
    }
    const object = body as Created; // checked above
    if (namespace !== null) this.existing('namespaces', null, namespace);
    if (resource === 'services') this.ports.allocate(object);
    const made = this.objects.create(resource, namespace, object);
    if (made === undefined) {
      if (resource === 'services') this.ports.release(object);
      const named = `${resource} "${object.metadata.name}"`;
      throw new Refusal(409, 'AlreadyExists', `${named} already exists`);
    }
    if (resource === 'pods') this.pods.created(made);
    if (resource === 'services') this.ports.created(made);
    if (resource === 'persistentvolumeclaims') made.status = { phase: 'Pending' };
    return made;
  }

  private existing(resource: string, namespace: string | null, name: string): Stored {
    const found = this.objects.get(resource, namespace, name);
    if (found === undefined) throw new Refusal(404, 'NotFound', `${resource} "${name}" not found`);
    return found;
  }

  private looked(resource: string, object: Stored): Stored {
    if (resource === 'services' && this.balancesLoad) this.ports.balance(object);
    return object;
  }

  /** A pod that has a node stays until the node has stopped it, and is answered with; the others are gone at once. */
  private remove(resource: string, namespace: string | null, name: string): { type: string; body: object } {
    const object = this.existing(resource, namespace, name);
    if (resource === 'pods' && this.pods.deleted(object)) return { type: 'Pod', body: object };
    this.objects.remove(resource, object);
    if (resource === 'services') this.ports.release(object);
    if (resource === 'pods' || resource === 'services' || resource === 'persistentvolumeclaims')
      return { type: KINDS[resource] ?? '', body: object };
    const { uid } = object.metadata;
    return { type: STATUS, body: { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', details: { name, kind: resource, uid } } }; // prettier-ignore
  }
}

const VERSION = { major: '1', minor: '36', gitVersion: 'v1.36.3' };
const VERBS: Readonly<Record<string, readonly [one: string, all: string]>> = {
  GET: ['get', 'list'],
  POST: ['', 'create'],
  DELETE: ['delete', 'deletecollection'],
};

function targetOf(method: string, path: string): Target | null {
  const [, namespaced, bare] =
    /^\/api\/v1\/(?:namespaces\/([^/]+\/[^/]+(?:\/[^/]+)?)|([^/]+(?:\/[^/]+)?))$/.exec(path) ?? [];
  const parts = (namespaced ?? bare)?.split('/').map(decodeURIComponent);
  if (parts === undefined) return null;
  const namespace = namespaced === undefined ? null : (parts.shift() ?? null);
  const [resource = '', name = null] = parts;
  const [one, all] = VERBS[method] ?? ['', ''];
  const verb = name === null ? all : one;
  if (verb === '' || !(resource in KINDS)) return null;
  return { verb, resource, namespace, name };
}
