import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenApiCheck } from '../spec/index.js';
import { ASKS, type FakeAsk, search } from './asks.js';
import { HttpFake } from '../http/index.js';

/** An instance, as Vast.ai calls what is rented. */
export interface FakeContract {
  readonly id: number;
  readonly askId: number;
  readonly label: string;
  readonly image: string;
  readonly onstart: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly price: number | null;
  readonly imageLogin: string | null;
  readonly createdAt: number;
  actualStatus: string | null;
  /** `cur_state`, `intended_status` and `next_state` at once. */
  state: 'running' | 'stopped';
  statusMessage: string | null;
  /** Where port 10022 of the container is. */
  door: { readonly host: string; readonly port: number } | null;
}

export interface VastaiFakeOptions {
  readonly apiKey: string;
  /** Starts the container; rejects: it never runs, with the words of the error. */
  readonly boot: (contract: FakeContract) => Promise<{ readonly host: string; readonly port: number }>;
  readonly halt: (contract: FakeContract) => Promise<void>;
}

interface Answer {
  readonly status: number;
  /** A text is sent as it is. */
  readonly body: unknown;
}

interface CreateBody {
  readonly image: string;
  readonly label?: string;
  readonly onstart?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly price?: number | null;
  readonly image_login?: string | null;
}

const LONGEST_COMMAND = 4096;
const PAGE = 25;
const TOO_OFTEN = 'API requests too frequent: endpoint threshold=4.5';

const failed = (status: number, error: string, msg: string): Answer => ({
  status,
  body: { success: false, error, msg },
});

/** The REST API of Vast.ai on loopback. What its description does not allow, asked or answered, is in `violations`. */
export class VastaiFake extends HttpFake {
  readonly contracts = new Map<number, FakeContract>();
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  asks: FakeAsk[] = [...ASKS];
  /** Machines that are found, and taken when somebody wants them. */
  readonly taken = new Set<number>();
  /** Bids below it are refused, after an instance was made that is stopped. */
  lowestBid = 0;
  /** The next creations are carried out and their answers lost. */
  lostCreations = 0;
  /** The next requests (to paths that end so) are answered so instead. */
  readonly refusals: { readonly path: string; readonly answer: Answer }[] = [];
  /** Instances appear in the list that late. */
  listLagMs = 0;
  private readonly check = new OpenApiCheck(new URL('../../specs/vastai.json', import.meta.url));
  private nextId = 19_283_746;

  private constructor(private readonly options: VastaiFakeOptions) {
    super();
  }

  static start(options: VastaiFakeOptions): Promise<VastaiFake> {
    return new VastaiFake(options).listen();
  }

  refuseNext(status: number, error: string, msg: string, path = '/'): void {
    this.refusals.push({ path, answer: failed(status, error, msg) });
  }

  /** Too many requests, in plain text and without a time to wait for. */
  throttleNext(path: string): void {
    this.refusals.push({ path, answer: { status: 429, body: TOO_OFTEN } });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(`${method} ${url.pathname}`);
    const answer = this.answer(method, url, request.headers.authorization, text === '' ? undefined : JSON.parse(text));
    if (answer === null) {
      response.destroy();
      return;
    }
    const isText = typeof answer.body === 'string';
    response.writeHead(answer.status, { 'content-type': isText ? 'text/plain' : 'application/json' });
    response.end(isText ? answer.body : JSON.stringify(answer.body));
  }

  /** Null: the connection breaks. */
  private answer(method: string, url: URL, auth: string | undefined, body: unknown): Answer | null {
    const { pathname: path } = url;
    if (!path.endsWith('/')) {
      this.violations.push(`${path}: without its slash at the end it is redirected`);
      return { status: 308, body: '' };
    }
    const refusal = this.refusals.findIndex(({ path: end }) => path.includes(end));
    if (refusal !== -1) return this.refusals.splice(refusal, 1)[0]?.answer ?? null;
    if (path !== '/api/v0/bundles/' && auth !== `Bearer ${this.options.apiKey}`)
      return failed(401, 'auth_error', 'Invalid user key');
    const template = path.replace(/\/(asks|instances)\/\d+\/$/, '/$1/{id}/');
    if (method === 'PUT' || method === 'POST') this.note(this.check.request(method, template, body));
    const answer = this.route(`${method} ${template}`, url, body);
    if (answer !== null && answer.status === 200)
      this.note(this.check.response(method, template, answer.status, answer.body));
    return answer;
  }

  private note(violation: string | null): void {
    if (violation !== null) this.violations.push(violation);
  }

  private route(operation: string, url: URL, body: unknown): Answer | null {
    const id = Number(url.pathname.split('/').at(-2));
    switch (operation) {
      case 'POST /api/v0/bundles/': {
        const offers = search(this.asks, body as Record<string, unknown>); // an object, as checked above
        return typeof offers === 'string' ? failed(400, 'invalid_args', offers) : { status: 200, body: { offers } };
      }
      case 'PUT /api/v0/asks/{id}/':
        return this.create(id, body as CreateBody); // checked above
      case 'GET /api/v0/instances/{id}/': {
        const contract = this.contracts.get(id);
        return { status: 200, body: { instances: contract === undefined ? null : this.view(contract) } };
      }
      case 'GET /api/v1/instances/':
        return this.list(url.searchParams);
      case 'DELETE /api/v0/instances/{id}/':
        return this.destroy(id);
      default:
        this.violations.push(`${operation}: no such operation`);
        return failed(404, 'not_found', 'no such operation');
    }
  }

  private create(askId: number, body: CreateBody): Answer | null {
    const { label = '', onstart = '', args = [], price = null } = body;
    const ask = this.asks.find(({ id }) => id === askId);
    if (ask === undefined) return failed(404, 'invalid_args', `error 404/3603: no_such_ask Instance type by id ${askId} is not available.`); // prettier-ignore
    if (this.taken.has(askId)) return failed(410, 'no_such_ask', `Instance type by id ${askId} is not available.`);
    if ([onstart, ...args].join('').length > LONGEST_COMMAND) return failed(400, 'invalid_args', 'args too long');
    const isBid = price !== null;
    const contract: FakeContract = {
      id: this.nextId++,
      askId,
      label,
      image: body.image,
      onstart,
      args,
      env: body.env ?? {},
      price,
      imageLogin: body.image_login ?? null,
      createdAt: Date.now(),
      actualStatus: null,
      state: 'running',
      statusMessage: null,
      door: null,
    };
    this.contracts.set(contract.id, contract);
    if (isBid && price < this.lowestBid) {
      contract.state = 'stopped';
      return { status: 400, body: { success: false, error: 'invalid_price', msg: 'bid is too low', new_contract: contract.id } }; // prettier-ignore
    }
    this.start(contract);
    if (this.lostCreations === 0) return { status: 200, body: { success: true, new_contract: contract.id } };
    this.lostCreations -= 1;
    return null;
  }

  private start(contract: FakeContract): void {
    contract.actualStatus = 'loading';
    this.options.boot(contract).then(
      (door) =>
        Object.assign(contract, { actualStatus: 'running', door, statusMessage: `success, running ${contract.image}` }),
      (error: unknown) => Object.assign(contract, { actualStatus: 'exited', statusMessage: String(error) }),
    );
  }

  private list(query: URLSearchParams): Answer {
    const filters = JSON.parse(query.get('select_filters') ?? '{}') as { label?: { eq: string } };
    const after = Number(query.get('after_token') ?? '0');
    const all = [...this.contracts.values()].filter(
      ({ label, createdAt }) =>
        (filters.label === undefined || filters.label.eq === label) && Date.now() >= createdAt + this.listLagMs,
    );
    const left = all.filter(({ id }) => id > after);
    const page = left.slice(0, Math.min(PAGE, Number(query.get('limit') ?? PAGE)));
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        success: true,
        instances_found: page.length,
        total_instances: all.length,
        next_token: last !== undefined && left.length > page.length ? String(last.id) : null,
        instances: page.map((contract) => this.view(contract)),
      },
    };
  }

  private view(contract: FakeContract): object {
    const { id, label, actualStatus, state, statusMessage, door, image, args, onstart, env } = contract;
    const ask = ASKS.find((each) => each.id === contract.askId);
    return {
      id,
      label,
      actual_status: actualStatus,
      cur_state: state,
      next_state: state,
      intended_status: state,
      status_msg: statusMessage,
      image_uuid: image,
      image_args: [...args],
      image_runtype: 'args',
      onstart,
      extra_env: Object.entries(env),
      geolocation: String(ask?.['geolocation'] ?? ''),
      gpu_name: String(ask?.['gpu_name'] ?? ''),
      num_gpus: Number(ask?.['num_gpus'] ?? 0),
      is_bid: contract.price !== null,
      start_date: contract.createdAt / 1000,
      public_ipaddr: door === null ? '' : `${door.host}\n`,
      ports: door === null ? null : { '10022/tcp': [{ HostIp: '0.0.0.0', HostPort: String(door.port) }] },
    };
  }

  private destroy(id: number): Answer {
    const contract = this.contracts.get(id);
    if (contract === undefined) return failed(404, 'not_found', 'Instance not found');
    this.contracts.delete(id);
    void this.options.halt(contract);
    return { status: 200, body: { success: true, msg: 'Instance destroyed successfully' } };
  }
}
