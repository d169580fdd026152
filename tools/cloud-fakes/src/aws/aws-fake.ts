import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsModel } from './aws-model.js';
import { ElbRegion } from './elb-region.js';
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

const EC2 = new AwsModel('ec2-2016-11-15.json');
const ELB = new AwsModel('elbv2-2015-12-01.json');
const ACM = new AwsModel('acm-2015-12-08.json');

/**
 * EC2, Elastic Load Balancing, Certificate Manager, STS and Service Quotas on loopback, the first three with AWS's own models: what those do
 * not have, asked or answered, is in `violations`.
 */
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
  /** Of Certificate Manager, by ARN: `ISSUED` ones can be used. */
  readonly certificates = new Map<string, string>();
  private readonly regions = new Map<string, Ec2Region>();
  private readonly elbs = new Map<string, ElbRegion>();

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

  balancing(name: string): ElbRegion {
    const known = this.elbs.get(name);
    if (known !== undefined) return known;
    const isIssued = (arn: string): boolean => this.certificates.get(arn) === 'ISSUED' && arn.includes(`:${name}:`);
    const region = new ElbRegion(name, this.region(name), isIssued);
    this.elbs.set(name, region);
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
    if (refusal !== null) {
      if (service === 'elasticloadbalancing')
        ELB.checkRefusal(action, refusal.code, (told) => this.violations.push(told));
      return errorOf(service)(response, refusal.status, refusal.code, `refused as ${refusal.code}`);
    }
    if (key !== this.options.accessKey) {
      const [status, code] = service === 'ec2' ? [401, 'AuthFailure'] : [403, 'InvalidClientTokenId'];
      return errorOf(service)(response, status, code, 'AWS was not able to validate the provided access credentials');
    }
    if (service === 'sts') return void response.end(IDENTITY);
    if (service === 'servicequotas') return this.answerQuotas(response);
    if (service === 'acm') return this.answerCertificates(action, region, text, response);
    if (service === 'elasticloadbalancing')
      return this.answerQuery(action, { model: ELB, region: this.balancing(region) }, form, response);
    this.answerQuery(action, { model: EC2, region: this.region(region) }, form, response);
  }

  private answerQuery(
    action: string,
    { model, region }: { readonly model: AwsModel; readonly region: Pick<Ec2Region, 'answer'> },
    form: URLSearchParams,
    response: ServerResponse,
  ): void {
    const complain = (text: string): void => void this.violations.push(text);
    const input = model.readForm(form, complain);
    const refuse = model === ELB ? queryError : error;
    if (input === null) {
      complain(`${action}: no such operation in the fake`);
      return refuse(response, 400, 'InvalidAction', `The action ${action} is not valid for this web service.`);
    }
    try {
      const output = region.answer(action, input);
      if (action === 'RunInstances' && this.lostLaunches > 0) {
        this.lostLaunches -= 1;
        return void response.destroy();
      }
      if (action === 'CreateVolume' && this.lostVolumes > 0) {
        this.lostVolumes -= 1;
        return void response.destroy();
      }
      response.writeHead(200, { 'content-type': 'text/xml' }).end(model.writeXml(action, output, complain));
    } catch (failure) {
      if (!(failure instanceof Ec2Refusal)) throw failure;
      model.checkRefusal(action, failure.code, complain);
      refuse(response, failure.status, failure.code, failure.message);
    }
  }

  private answerQuotas(response: ServerResponse): void {
    const Quotas = [...this.quotas].map(([QuotaCode, Value]) => ({ ServiceCode: 'ec2', QuotaCode, Value }));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify({ Quotas }));
  }

  private answerCertificates(action: string, region: string, text: string, response: ServerResponse): void {
    const complain = (problem: string): void => void this.violations.push(problem);
    const input = ACM.readJson(action, text, complain);
    if (input === null) complain(`${action}: no such operation in the fake`);
    const arn = String(input?.['CertificateArn']);
    const Status = arn.includes(`:${region}:`) ? this.certificates.get(arn) : undefined;
    if (Status === undefined) return jsonError(response, 400, 'ResourceNotFoundException', `Could not find certificate ${arn}.`); // prettier-ignore
    const type = { 'content-type': 'application/x-amz-json-1.1' };
    response.writeHead(200, type).end(JSON.stringify({ Certificate: { CertificateArn: arn, Status } }));
  }

  private takeRefusal(action: string) {
    const index = this.refusals.findIndex((each) => each.action === action);
    return index === -1 ? null : (this.refusals.splice(index, 1)[0] ?? null);
  }
}

const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/dstack</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;

function errorOf(service: string | undefined) {
  if (service === 'elasticloadbalancing') return queryError;
  return service === 'acm' ? jsonError : error;
}

function jsonError(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify({ __type: code, message }));
}

function queryError(response: ServerResponse, status: number, code: string, message: string): void {
  const body =
    `<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type><Code>${code}</Code>` +
    `<Message>${message}</Message></Error><RequestId>fake</RequestId></ErrorResponse>`;
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}

/** EC2's envelope, which STS's client reads as well. */
function error(response: ServerResponse, status: number, code: string, message: string): void {
  const body =
    `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>` +
    `<RequestID>fake</RequestID></Response>`;
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}
