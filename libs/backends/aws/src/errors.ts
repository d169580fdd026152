import { BackendError, type Failure } from '@dstack/backend-base';

const KINDS: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [
    /^(Insufficient(Instance|Host|ReservedInstance)?Capacity|UnfulfillableCapacity|SpotMaxPriceTooLow|ReservationCapacityExceeded|Unsupported|InsufficientFreeAddressesInSubnet)$/,
    { kind: 'no-capacity', blocks: 'zone' },
  ],
  [
    /^(InstanceLimitExceeded|VcpuLimitExceeded|MaxSpotInstanceCountExceeded|VolumeLimitExceeded|PendingVerification|AddressLimitExceeded|TooMany(LoadBalancers|TargetGroups|Listeners|Targets)(Exception)?)$/,
    { kind: 'quota', blocks: 'offer' },
  ],
  [/^OptInRequired$/, { kind: 'credentials', blocks: 'region' }],
  [
    /^(AuthFailure|Blocked|InvalidClientTokenId|UnrecognizedClientException|RequestExpired|ExpiredToken|ExpiredTokenException|SignatureDoesNotMatch|CredentialsProviderError)$/,
    { kind: 'credentials', blocks: 'account' },
  ],
  [/^(UnauthorizedOperation|AccessDenied|AccessDeniedException)$/, { kind: 'credentials', blocks: 'account' }],
  [
    /^(RequestLimitExceeded|Throttling|ThrottlingException|TooManyRequestsException)$/,
    { kind: 'throttled', blocks: 'account' },
  ],
  [
    /(\.NotFound|\.Malformed|\.Unknown|^NoSuchEntity|^InvalidVpcID|^InvalidAMIID)/,
    { kind: 'not-found', blocks: 'offer' },
  ],
];

interface AwsError {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

/** The code of an error of EC2, `InvalidInstanceID.NotFound`; null for what is none of AWS. */
export function awsCode(error: unknown): string | null {
  const { cause } = error instanceof BackendError ? error : { cause: error };
  return isAwsError(cause) ? cause.name : null;
}

/** Of Elastic Load Balancing, without the ending that the library gives some of them. */
export function elbCode(error: unknown): string | null {
  return awsCode(error)?.replace(/Exception$/, '') ?? null;
}

/** The one place where AWS's codes become ours; the original is the cause. */
export function explainAws(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  if (!isAwsError(error))
    return new BackendError({ kind: 'outage', blocks: 'account' }, String(error), { cause: error });
  // What did not come from AWS has no code of its own.
  const told = error.name === 'Error' ? `no answer: ${error.message}` : `${error.name}: ${error.message}`;
  return new BackendError(failureOf(error), told, { cause: error });
}

function failureOf({ name, $metadata }: AwsError): Failure {
  const known = KINDS.find(([pattern]) => pattern.test(name))?.[1];
  // A key that was taken away between two tries of the SDK says nothing of what the first one did.
  if (known?.kind === 'credentials' && ($metadata?.attempts ?? 1) > 1) return { ...known, afterLostTry: true };
  if (known !== undefined) return known;
  const status = $metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500
    ? { kind: 'rejected', blocks: 'offer' }
    : { kind: 'outage', blocks: 'account' };
}

function isAwsError(error: unknown): error is AwsError {
  return error instanceof Error;
}
