import { isBackendError } from '@dstack/backend-base';
import { explainGcp, explainOperation, explainRpc, isFinalReply } from '../src/errors.js';

/** As Compute Engine refuses a request. */
const compute = (status: number, reason: string, message = 'why') => ({
  status,
  body: { error: { code: status, message, errors: [{ message, domain: 'global', reason }] } },
});

/** As the newer services do. */
const tpu = (code: number, status: string, message = 'why') => ({
  status: code,
  body: { error: { code, message, status } },
});

const ZONE_PATH = 'projects/p/zones/us-central1-a';

describe('a refusal of Google', () => {
  it.each([
    ['an unknown key', compute(401, 'authError'), 'credentials', 'account'],
    [
      'no permission',
      compute(403, 'forbidden', "Required 'compute.instances.create' permission"),
      'credentials',
      'account',
    ],
    ['a service that is off', compute(403, 'accessNotConfigured'), 'credentials', 'account'],
    ['a quota that is used up', compute(403, 'quotaExceeded', "Quota 'CPUS' exceeded. Limit: 8.0"), 'quota', 'offer'],
    ['too many requests', compute(403, 'rateLimitExceeded'), 'throttled', 'account'],
    [
      'a quota of TPUs that is used up',
      tpu(429, 'RESOURCE_EXHAUSTED', "Quota limit 'TPUV5s' has been exceeded"),
      'quota',
      'offer',
    ],
    ['a zone that is dry', compute(503, 'insufficientCapacity'), 'no-capacity', 'zone'],
    ['a type that the zone has not', compute(404, 'notFound', `The resource '${ZONE_PATH}/machineTypes/a3-megagpu-8g' was not found`), 'no-capacity', 'zone'], // prettier-ignore
    ['a GPU that the zone has not', compute(404, 'notFound', `The resource '${ZONE_PATH}/acceleratorTypes/nvidia-tesla-t4' was not found`), 'no-capacity', 'zone'], // prettier-ignore
    ['no such network', compute(404, 'notFound', "The resource 'projects/p/global/networks/mine' was not found"), 'not-found', 'region'], // prettier-ignore
    ['no such image', compute(404, 'notFound', "The resource 'projects/dstack/global/images/x' was not found"), 'not-found', 'offer'], // prettier-ignore
    ['a RoCE network of another zone', compute(400, 'badRequest', 'Network profile only allows resource creation in location us-central1-b'), 'rejected', 'zone'], // prettier-ignore
    ['a policy of the organisation', compute(412, 'conditionNotMet', 'Constraint constraints/compute.vmExternalIpAccess violated for project'), 'rejected', 'account'], // prettier-ignore
    ['a wrong request', compute(400, 'invalid', "Invalid value for field 'resource.name'"), 'rejected', 'offer'],
    ['a machine that is being made', compute(400, 'resourceNotReady'), 'throttled', 'offer'],
    [
      'a TPU that is full',
      tpu(429, 'RESOURCE_EXHAUSTED', 'There is no more capacity in the zone'),
      'no-capacity',
      'zone',
    ],
    ['no right to TPUs', tpu(403, 'PERMISSION_DENIED'), 'credentials', 'account'],
    ['an answer of something in between', { status: 403, body: '<html>' }, 'credentials', 'account'],
  ])('of %s', (_what, reply, kind, blocks) => {
    expect(explainGcp(reply).failure).toEqual({ kind, blocks });
  });

  it('keeps the words and the reason of Google', () => {
    const { message } = explainGcp(compute(403, 'quotaExceeded', "Quota 'CPUS' exceeded. Limit: 8.0"));
    expect(message).toBe("quotaExceeded: Quota 'CPUS' exceeded. Limit: 8.0");
  });

  it('names the reason of the newer services', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'SERVICE_DISABLED' }];
    const body = { error: { code: 403, message: 'Cloud TPU API is off', status: 'PERMISSION_DENIED', details } };
    expect(explainGcp({ status: 403, body }).message).toBe('SERVICE_DISABLED: Cloud TPU API is off');
  });

  it('tells too many requests from a quota that is used up', () => {
    const details = [{ reason: 'RATE_LIMIT_EXCEEDED' }];
    const body = {
      error: { code: 429, message: 'Quota exceeded for quota metric', status: 'RESOURCE_EXHAUSTED', details },
    };
    expect(explainGcp({ status: 429, body }).failure).toEqual({ kind: 'throttled', blocks: 'account' });
    expect(isFinalReply({ status: 429, body })).toBe(false);
  });

  it.each([
    ['a zone that is dry', compute(503, 'insufficientCapacity'), true],
    ['a TPU that is full', tpu(429, 'RESOURCE_EXHAUSTED', 'no more capacity'), true],
    ['a quota', tpu(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded'), true],
    ['a failing server', compute(503, 'backendError'), false],
    ['a service that is down', tpu(503, 'UNAVAILABLE'), false],
    ['too many requests', compute(429, 'rateLimitExceeded'), false],
    ['any other refusal', compute(403, 'quotaExceeded'), false],
  ])('for %s is final: %#', (_what, reply, expected) => {
    expect(isFinalReply(reply)).toBe(expected);
  });
});

describe('an operation that failed', () => {
  it.each([
    ['ZONE_RESOURCE_POOL_EXHAUSTED', 503, 'no-capacity', 'zone'],
    ['ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS', 503, 'no-capacity', 'zone'],
    ['STOCKOUT', null, 'no-capacity', 'zone'],
    ['QUOTA_EXCEEDED', 403, 'quota', 'offer'],
    ['QUOTA_LIMIT', 403, 'quota', 'offer'],
    ['PERMISSIONS_ERROR', 403, 'credentials', 'account'],
    ['RESOURCE_OPERATION_RATE_EXCEEDED', 403, 'throttled', 'account'],
    ['RESOURCE_NOT_READY', 400, 'throttled', 'offer'],
    ['RESOURCE_NOT_FOUND', 404, 'not-found', 'offer'],
    ['INVALID_FIELD_VALUE', 400, 'rejected', 'offer'],
    ['INTERNAL_ERROR', 500, 'outage', 'account'],
    ['SOMETHING_NEW', null, 'outage', 'account'],
  ])('with %s (%s) is %s', (code, status, kind, blocks) => {
    const error = explainOperation({ code, message: 'why' }, status);
    expect(error.failure).toEqual({ kind, blocks });
    expect(error.message).toBe(`${code}: why`);
  });

  it.each([
    [8, 'There is no more capacity in the zone "us-central1-a"', 'no-capacity', 'zone'],
    [8, "Quota limit 'TPUV5sPodServingPerProjectPerZoneForTPUAPI' has been exceeded", 'quota', 'offer'],
    [14, 'try again', 'no-capacity', 'zone'],
    [5, 'no such runtime', 'not-found', 'offer'],
    [3, 'wrong', 'rejected', 'offer'],
    [7, 'no', 'credentials', 'account'],
    [13, 'internal', 'outage', 'account'],
    [99, 'who knows', 'outage', 'account'],
  ])('of a TPU with %s (%s) is %s', (code, message, kind, blocks) => {
    const error = explainRpc({ code, message });
    expect(isBackendError(error) && error.failure).toEqual({ kind, blocks });
  });
});
