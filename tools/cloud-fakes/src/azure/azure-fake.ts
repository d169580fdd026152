import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ArmAnswer, ArmRefusal, type Json } from './arm-answer.js';
import { compareWithModel, type Part } from './arm-check.js';
import { type AzureMachineHooks, type FakeAzureMachine, MicrosoftCompute } from './microsoft-compute.js';
import { lastOf, MicrosoftNetwork, missing } from './microsoft-network.js';
import { type AzureAccount, answerToken, TOKEN } from './token-endpoint.js';
import { HttpFake } from '../http/index.js';

export interface AzureFakeOptions extends AzureMachineHooks {
  readonly account: AzureAccount;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Json;
  readonly isNew: boolean;
}

interface Refusal {
  readonly method: string;
  readonly part: string;
  readonly refusal: ArmRefusal;
}

const PAGE = 2;
const MACHINE = /\/virtualMachines\/[^/]+$/i;

/** Azure Resource Manager and the token endpoint on loopback. What Azure's own libraries would not write or read is in `violations`. */
export class AzureFake extends HttpFake {
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  readonly network = new MicrosoftNetwork();
  readonly compute: MicrosoftCompute;
  /** Resource groups by name in lower case, with their location. */
  readonly groups = new Map<string, string>();
  readonly identities = new Set<string>();
  /** Sizes that the subscription may not have: `Location` or `Zone`. */
  readonly restrictions = new Map<string, string>();
  /** The next creates are carried out and their answers lost, those of repetitions too. */
  lostCreates = 0;
  private readonly refusals: Refusal[] = [];

  private constructor(private readonly options: AzureFakeOptions) {
    super();
    this.compute = new MicrosoftCompute(this.network, options);
  }

  static start(options: AzureFakeOptions): Promise<AzureFake> {
    return new AzureFake(options).listen();
  }

  get machines(): FakeAzureMachine[] {
    return [...this.compute.machines.values()];
  }

  /** Disks, cards and addresses: what costs money beside machines. */
  get belongings(): string[] {
    return [...this.compute.disks, ...this.network.cards.keys(), ...this.network.addresses.keys()];
  }

  /** Answers the next request of the method to a path with the part so. */
  refuseNext(method: string, part: string, refusal: ArmRefusal): void {
    this.refusals.push({ method, part: part.toLowerCase(), refusal });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', this.url);
    const method = request.method ?? 'GET';
    this.requests.push(`${method} ${path}`);
    let answer: ArmAnswer | null;
    try {
      answer = path.endsWith('/oauth2/v2.0/token')
        ? answerToken(path, new URLSearchParams(text), this.options.account)
        : this.answer(request, {
            method,
            path,
            query,
            body: parse(text),
            isNew: request.headers['if-none-match'] === '*',
          });
    } catch (error) {
      if (!(error instanceof ArmRefusal)) throw error;
      answer = error.answer;
      this.note(compareWithModel('compute', 'cloudErrorDeserializer', answer.body));
    }
    if (answer === null) return void response.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }

  /** Null: the connection breaks. @throws {ArmRefusal} */
  private answer(request: IncomingMessage, asked: Asked): ArmAnswer | null {
    const { method, path, query } = asked;
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      throw new ArmRefusal(401, 'InvalidAuthenticationToken', 'The access token is invalid.');
    if (query.get('api-version') === null) this.note(`${method} ${path}: no api-version`);
    const subscription = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1] ?? '';
    if (subscription !== this.options.account.subscriptionId)
      throw new ArmRefusal(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`);
    const index = this.refusals.findIndex((each) => each.method === method && path.toLowerCase().includes(each.part));
    const refusal = index === -1 ? undefined : this.refusals.splice(index, 1)[0]?.refusal;
    if (refusal !== undefined) throw refusal;
    const group = /\/resourcegroups\/([^/]+)\//i.exec(path)?.[1];
    if (group !== undefined && !this.groups.has(group.toLowerCase()))
      throw new ArmRefusal(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`);
    return this.route(asked);
  }

  private route(asked: Asked): ArmAnswer | null {
    const { method, path, body } = asked;
    if (/\/resourcegroups(\/[^/]+)?$/i.test(path)) return this.groupAnswer(asked);
    if (/\/Microsoft\.ManagedIdentity\//i.test(path)) {
      if (!this.identities.has(path.toLowerCase())) throw missing(path);
      return this.checked('resources', 'genericResourceDeserializer', {
        status: 200,
        body: { id: path, name: lastOf(path), location: 'eastus' },
      });
    }
    if (/\/Microsoft\.Network\//i.test(path)) {
      const model = networkModel(path);
      if (method === 'PUT') this.note(compareWithModel('network', `${model}Serializer`, body));
      const answer = this.network.answer(method, path, body);
      return this.checked(
        'network',
        /\/subnets$/i.test(path) ? '_subnetListResultDeserializer' : `${model}Deserializer`,
        answer,
      );
    }
    if (MACHINE.test(path)) return this.machineAnswer(asked);
    return this.listAnswer(asked);
  }

  private machineAnswer({ method, path, query, body, isNew }: Asked): ArmAnswer | null {
    if (method === 'DELETE') return this.accepted(path, this.compute.remove(path));
    if (method === 'GET') {
      const view = this.compute.view(this.compute.get(path), query.get('$expand') === 'instanceView');
      return this.checked('compute', 'virtualMachineDeserializer', { status: 200, body: view });
    }
    this.note(compareWithModel('compute', 'virtualMachineSerializer', body));
    const isLost = this.lostCreates > 0;
    if (isLost) this.lostCreates -= 1;
    try {
      const answer = this.compute.put(path, body, isNew);
      return isLost ? null : this.accepted(path, this.checked('compute', 'virtualMachineDeserializer', answer));
    } catch (error) {
      if (isLost) return null;
      throw error;
    }
  }

  private groupAnswer({ method, path, body }: Asked): ArmAnswer {
    if (/\/resourcegroups$/i.test(path)) {
      const value = [...this.groups].map(([name, location]) => groupView(`${path}/${name}`, location));
      return this.checked('resources', '_resourceGroupListResultDeserializer', { status: 200, body: { value } });
    }
    const name = lastOf(path).toLowerCase();
    const isNew = !this.groups.has(name);
    if (method === 'PUT') {
      this.note(compareWithModel('resources', 'resourceGroupSerializer', body));
      this.groups.set(name, String(body['location']));
    }
    const location = this.groups.get(name);
    if (location === undefined)
      throw new ArmRefusal(404, 'ResourceGroupNotFound', `Resource group '${lastOf(path)}' could not be found.`);
    const status = method === 'PUT' && isNew ? 201 : 200;
    return this.checked('resources', 'resourceGroupDeserializer', { status, body: groupView(path, location) });
  }

  private listAnswer({ path, query }: Asked): ArmAnswer {
    if (/\/virtualMachines$/i.test(path)) {
      const scope = path.toLowerCase().replace(/\/providers\/.*$/, '/');
      const found = this.machines.filter(({ id }) => id.toLowerCase().startsWith(scope));
      const views = found.map((machine) => this.compute.view(machine));
      return this.checked('compute', '_virtualMachineListResultDeserializer', this.page(path, query, views));
    }
    if (/\/Microsoft\.Compute\/skus$/i.test(path)) {
      const location = /^location eq '([^']+)'$/.exec(query.get('$filter') ?? '')?.[1] ?? '';
      const skus = this.compute.skus(location, this.restrictions);
      return this.checked('compute', '_resourceSkusResultDeserializer', this.page(path, query, skus));
    }
    if (/\/capacityReservations$/i.test(path)) {
      const found = this.compute.reservationsOf(path);
      return this.checked('compute', '_capacityReservationListResultDeserializer', this.page(path, query, found));
    }
    if (/\/usages$/i.test(path))
      return this.checked('compute', '_listUsagesResultDeserializer', this.page(path, query, this.compute.usages()));
    this.note(`${path}: no such operation in the fake`);
    throw missing(path);
  }

  private page(path: string, query: URLSearchParams, all: readonly object[]): ArmAnswer {
    const first = Number(query.get('$skiptoken') ?? 0);
    const next = new URLSearchParams(query);
    next.set('$skiptoken', String(first + PAGE));
    const nextLink = first + PAGE < all.length ? { nextLink: `${this.url}${path}?${next.toString()}` } : {};
    return { status: 200, body: { value: all.slice(first, first + PAGE), ...nextLink } };
  }

  /** Work that goes on is told where to ask for it. */
  private accepted(path: string, answer: ArmAnswer): ArmAnswer {
    if (answer.status !== 201 && answer.status !== 202) return answer;
    const operation = `${this.url}${path.replace(/\/resourceGroups\/.*$/i, '')}/providers/Microsoft.Compute/locations/any/operations/1?api-version=2026-04-01`;
    return { ...answer, headers: { 'azure-asyncoperation': operation, location: operation, 'retry-after': '10' } };
  }

  private checked(part: Part, model: string, answer: ArmAnswer): ArmAnswer {
    this.note(compareWithModel(part, model, answer.body));
    return answer;
  }

  private note(violation: string | null): void {
    if (violation !== null) this.violations.push(violation);
  }
}

function parse(text: string): Json {
  // Everything ARM takes here is an object.
  return text === '' ? {} : (JSON.parse(text) as Json);
}

function groupView(id: string, location: string): object {
  return {
    id,
    name: lastOf(id),
    location,
    type: 'Microsoft.Resources/resourceGroups',
    properties: { provisioningState: 'Succeeded' },
  };
}

function networkModel(path: string): string {
  if (/\/subnets(\/|$)/i.test(path)) return 'subnet';
  const type = /\/Microsoft\.Network\/([^/]+)/i.exec(path)?.[1]?.toLowerCase();
  const models: Readonly<Record<string, string>> = {
    virtualnetworks: 'virtualNetwork',
    networksecuritygroups: 'networkSecurityGroup',
    networkinterfaces: 'networkInterface',
    publicipaddresses: 'publicIPAddress',
  };
  return models[type ?? ''] ?? 'subnet';
}
