import { type Attempt, BackendError, CONTAINER_SSH_PORT } from '@dstack/backend-base';
import { MIN_DISK_GB } from './ask-filters.js';

/** Instances have no tags. What these hold is read back from the instance; the agent keeps them from the job. */
export const OWNER_VARIABLE = 'DSTACK_AGENT_OWNER';
export const TOKEN_VARIABLE = 'DSTACK_AGENT_ATTEMPT';

/** Of `args` and `onstart` together. */
const LONGEST_COMMAND = 4048;

export type CreateRequest = Readonly<Record<string, unknown>>;

/** What of the offer and the attempt goes to Vast.ai. @throws {BackendError} for what Vast.ai cannot be told */
export function createRequest({ container, cloudName, offer, owner, token }: Attempt): CreateRequest {
  if (container === null) throw new TypeError('an instance runs a container');
  const [entrypoint = '', ...args] = container.command;
  if ([entrypoint, ...args].join('').length > LONGEST_COMMAND)
    throw refused(`the start command is longer than the ${LONGEST_COMMAND} characters that Vast.ai takes`);
  const { resources } = offer.instance;
  return {
    client_id: 'me',
    image: container.image,
    label: cloudName,
    disk: Math.max(MIN_DISK_GB, Math.ceil((resources.disk?.size_mib ?? 0) / 1024)),
    // With `args` the image starts as it is; `onstart` then is what takes the place of its entry point.
    runtype: 'args',
    onstart: entrypoint,
    args,
    env: {
      [`-p ${CONTAINER_SSH_PORT}:${CONTAINER_SSH_PORT}`]: '1',
      ...container.env,
      [OWNER_VARIABLE]: owner,
      [TOKEN_VARIABLE]: token,
    },
    user: 'root',
    ...(container.registryAuth === null ? {} : { image_login: login(container.image, container.registryAuth) }),
    // Null: on demand, whatever others bid.
    price: resources.spot ? bidOf(offer.backend_data) : null,
    force: false,
  };
}

function bidOf(data: Readonly<Record<string, unknown>> | null | undefined): number {
  const bid = data?.['min_bid'];
  if (typeof bid !== 'number') throw refused('the offer does not say what to bid');
  return bid;
}

/** Options of `docker login`, as one text: nothing in it can be quoted. */
function login(
  image: string,
  { username, password }: { readonly username: string; readonly password: string },
): string {
  if (![username, password].every((value) => /^[^\s'"\\`$]+$/.test(value)))
    throw refused('Vast.ai takes no registry credentials with spaces, quotes, $ or \\ in them');
  return `-u ${username} -p ${password} ${registryOf(image)}`;
}

function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : 'docker.io';
}

function refused(message: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'account' }, message);
}
