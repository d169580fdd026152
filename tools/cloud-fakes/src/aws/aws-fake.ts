import type { IncomingMessage, ServerResponse } from 'node:http';
import { readForm, writeXml } from './ec2-shapes.js';
import { Ec2Refusal } from './ec2-refusal.js';
import { Ec2Region, type FakeEc2Instance } from './ec2-region.js';
import type { Disks } from './ec2-volumes.js';
import { HttpFake } from '../http/index.js';

export interface AwsFakeOptions extends Disks {
  readonly accessKey: string;
  /** Gives the public address of the machine that was started; rejects: it ends by itself. */
  readonly boot: (instance: FakeEc2Instance) => Promise<string>;
  readonly halt: (instance: FakeEc2Instance) => Promise<void>;
}

/** EC2, STS and Service Quotas on loopback, the first with AWS's own model: what it does not have, asked or answered, is in `violations`. */
export class AwsFake extends HttpFake {
  readonly violations: string[] = [];
  readonly requests: string[] = [];
  /** Quotas by code, in every region; absent: AWS says nothing of it. */
  readonly quotas = new Map<string, number>();
  /** The next calls of the action are answered so. */
  readonly refusals: { readonly action: string; readonly code: string; readonly status: number }[] = [];
  /** The next launches are carried out and their answers lost. */
  lostLaunches = 0;
  /** So are the next volumes. */
  lostVolumes = 0;
  private readonly regions = new Map<string, Ec2Region>();

  private constructor(private readonly options: AwsFakeOptions) {
    super();
  }

  static start(options: AwsFakeOptions): Promise<AwsFake> {
    return new AwsFake(options).listen();
  }

  region(name: string): Ec2Region {
    const known = this.regions.get(name);
    if (known !== undefined) return known;
    const region = new Ec2Region(name, this.options);
    this.regions.set(name, region);
    return region;
  }

  get instances(): FakeEc2Instance[] {
    return [...this.regions.values()].flatMap((region) => [...region.instances.values()]);
  }

  refuseNext(action: string, code: string, status = 400): void {
    this.refusals.push({ action, code, status });
  }

  protected async serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const scope = /Credential=([^/]+)\/[^/]+\/([^/]+)\/([^/]+)\//.exec(request.headers.authorization ?? '');
    const [, key, region = '', service] = scope ?? [];
    const target = request.headers['x-amz-target'];
    const form = new URLSearchParams(text);
    const action = typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : (form.get('Action') ?? '');
    this.requests.push(`${region} ${action}`);
    const refusal = this.takeRefusal(action);
    if (refusal !== null) return error(response, refusal.status, refusal.code, `refused as ${refusal.code}`);
    if (key !== this.options.accessKey) {
      const [status, code] = service === 'ec2' ? [401, 'AuthFailure'] : [403, 'InvalidClientTokenId'];
      return error(response, status, code, 'AWS was not able to validate the provided access credentials');
    }
    if (service === 'sts') return void response.end(IDENTITY);
    if (service === 'servicequotas') return this.answerQuotas(response);
    this.answerEc2(action, region, form, response);
  }

  private answerEc2(action: string, region: string, form: URLSearchParams, response: ServerResponse): void {
    const complain = (text: string): void => void this.violations.push(text);
    const input = readForm(form, complain);
    if (input === null) {
      complain(`${action}: no such operation in the fake`);
      return error(response, 400, 'InvalidAction', `The action ${action} is not valid for this web service.`);
    }
    try {
      const output = this.region(region).answer(action, input);
      if (action === 'RunInstances' && this.lostLaunches > 0) {
        this.lostLaunches -= 1;
        return void response.destroy();
      }
      if (action === 'CreateVolume' && this.lostVolumes > 0) {
        this.lostVolumes -= 1;
        return void response.destroy();
      }
      response.writeHead(200, { 'content-type': 'text/xml' }).end(writeXml(action, output, complain));
    } catch (failure) {
      if (!(failure instanceof Ec2Refusal)) throw failure;
      error(response, failure.status, failure.code, failure.message);
    }
  }

  private answerQuotas(response: ServerResponse): void {
    const Quotas = [...this.quotas].map(([QuotaCode, Value]) => ({ ServiceCode: 'ec2', QuotaCode, Value }));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify({ Quotas }));
  }

  private takeRefusal(action: string) {
    const index = this.refusals.findIndex((each) => each.action === action);
    return index === -1 ? null : (this.refusals.splice(index, 1)[0] ?? null);
  }
}

const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/dstack</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;

/** EC2's envelope; the other query services' has the same parts under another name. */
function error(response: ServerResponse, status: number, code: string, message: string): void {
  const body =
    `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>` +
    `<RequestID>fake</RequestID></Response>`;
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}
