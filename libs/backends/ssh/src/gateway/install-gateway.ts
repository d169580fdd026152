import { setTimeout as delay } from 'node:timers/promises';
import type { AgentBundle } from '../agent-bundle.js';
import { folderName } from '../host-paths.js';
import { HostProblemError } from '../host-problem.js';
import type { HostRequest } from '../host-request.js';
import { type LetGo, letGoScript, OTHERS } from '../let-go-script.js';
import { putUnlessLetGo } from '../put-on-host.js';
import { architectureOf } from '../judge-host.js';
import { mustRunRootScript, runRootScript, runScript, type ScriptResult, wordsOf } from '../run-script.js';
import { gatewayLetGo } from './gateway-let-go.js';
import { GATEWAYS_DIR, gatewayPaths } from './gateway-paths.js';
import {
  acceptUploadScript,
  applyScript,
  CANNOT_RUN,
  discardUploadScript,
  lastWordsScript,
  lookScript,
  nginxScript,
  NO_NGINX,
  NOT_INSTALLED,
  prepareUploadScript,
  startScript,
} from './gateway-scripts.js';
import { gatewayProgram, gatewaySupervisor } from './gateway-supervisor.js';

export interface InstallGatewayRequest extends HostRequest {
  /** Asked for once the host is known to be fit. Undefined: this server has no gateway for the architecture. */
  readonly bundle: (arch: 'x86' | 'arm') => Promise<AgentBundle | undefined>;
}

const START_LIMIT_MS = 30_000;
const RETRY_MS = 200;
const DISCARD_LIMIT_MS = 10_000;

/**
 * Makes of a host one that runs the bundle's gateway, with nginx from its own packages. Nothing is done to one that does already.
 * @throws {HostProblemError}
 */
export async function installGateway(request: InstallGatewayRequest): Promise<{ readonly digest: string }> {
  const paths = gatewayPaths(request.owner);
  const uid = Number((await runScript(request, 'id -u')).stdout.trim());
  const seen = wordsByKey(await mustRunRootScript(request, lookScript(paths), 'looking at the host'));
  const arch = fitArchitecture(request, seen);
  const bundle = await request.bundle(arch);
  if (bundle === undefined)
    throw problem(
      request,
      'unsupported-architecture',
      `its processor is of the kind ${seen.one('machine')}, and this server has no gateway for it; in a checkout it is built by ` +
        '`npm run build:folder -w @dstack/gateway` on a machine of that kind',
    );
  const name = folderName(bundle.digest);
  const supervisor = gatewaySupervisor({ paths, arch, systemd: seen.one('systemd') === 'yes', uid });
  if (seen.one('nginx') !== 'yes') await bringNginx(request);
  if (!seen.all('folder').includes(name)) await upload(request, { bundle, uid });
  const isReady =
    seen.one('current') === name &&
    seen.one('replica') === request.instance &&
    seen.one('mark') === supervisor.mark &&
    seen.one('listening') === 'yes';
  if (!isReady) {
    const start = gatewayProgram({ paths, arch, uid }, 'start');
    const applied = { folder: `${GATEWAYS_DIR}/${name}`, replica: request.instance, supervisor, start };
    await mustPutThere(request, applyScript(paths, applied), 'starting the gateway');
  }
  await awaitGateway(request);
  return { digest: bundle.digest };
}

/**
 * Starts what is installed when nothing listens at its socket: after the host was started anew, or its supervisor was killed.
 * @throws {HostProblemError} also when nothing is installed
 */
export async function ensureGateway(request: HostRequest): Promise<void> {
  if (await listens(request)) return;
  const result = await runRootScript(request, startScript(gatewayPaths(request.owner)));
  if (result.exitCode === NOT_INSTALLED)
    throw new HostProblemError('agent-failed', false, `${request.hostname}: there is no gateway on the host any more`);
  if (result.exitCode !== 0)
    throw new HostProblemError(
      'agent-failed',
      false,
      `${request.hostname}: starting the gateway failed: ${wordsOf(result)}`,
    );
  await awaitGateway(request);
}

/**
 * Where nothing is, nothing is done, and also where another replica has the host by now. An installation for this replica that comes later
 * does nothing either.
 */
export async function removeGateway(request: HostRequest): Promise<void> {
  const result = await runRootScript(request, letGoScript(letGoHere(request)));
  if (result.exitCode === 0 || result.exitCode === OTHERS) return;
  throw failed(request, 'removing the gateway', result);
}

function letGoHere({ owner, instance }: HostRequest): LetGo {
  return gatewayLetGo(gatewayPaths(owner), instance);
}

/** @throws {HostProblemError} `let-go` when the host is not the replica's any more */
function putThere(request: HostRequest, script: string): Promise<ScriptResult> {
  return putUnlessLetGo(request, { letGo: letGoHere(request), what: 'gateway', namedIn: 'gateway' }, script);
}

async function mustPutThere(request: HostRequest, script: string, what: string): Promise<void> {
  const result = await putThere(request, script);
  if (result.exitCode !== 0) throw failed(request, what, result);
}

async function bringNginx(request: HostRequest): Promise<void> {
  const result = await runRootScript(request, nginxScript());
  if (result.exitCode === 0) return;
  const text = result.exitCode === NO_NGINX ? 'the packages of the host do not give it' : wordsOf(result);
  throw new HostProblemError(
    'agent-failed',
    false,
    `${request.hostname}: nginx could not be installed: ${text}. Install it there by hand, and the gateway goes on by itself`,
  );
}

/** Unpacked as it arrives. What arrived in part or damaged does not stay. */
async function upload(
  request: HostRequest,
  { bundle, uid }: { readonly bundle: AgentBundle; readonly uid: number },
): Promise<void> {
  const paths = gatewayPaths(request.owner);
  const { connection, signal } = request;
  try {
    await mustPutThere(request, prepareUploadScript(paths), `making ${GATEWAYS_DIR}`);
    const archive = bundle.open();
    try {
      const command = `${uid === 0 ? '' : 'sudo -n '}tar -xzf - -C ${paths.incoming}`;
      const sent = await connection.exec(command, { signal, stdin: archive });
      if (sent.exitCode !== 0)
        throw new HostProblemError(
          /no space left/i.test(sent.stderr) ? 'disk-full' : 'upload-failed',
          false,
          `${request.hostname}: the gateway could not be put on the host: ${sent.stderr.trim().slice(-500)}`,
        );
    } finally {
      archive.destroy();
    }
    const folder = `${GATEWAYS_DIR}/${folderName(bundle.digest)}`;
    const result = await putThere(request, acceptUploadScript(paths, { ...bundle, folder }));
    if (result.exitCode === CANNOT_RUN)
      throw problem(request, 'agent-failed', `the gateway cannot be run from ${GATEWAYS_DIR} (${wordsOf(result)})`);
    if (result.exitCode !== 0)
      throw new HostProblemError('upload-failed', false, `${request.hostname}: ${wordsOf(result)}`);
  } catch (error) {
    const discarding = runRootScript(
      { ...request, signal: AbortSignal.timeout(DISCARD_LIMIT_MS) },
      discardUploadScript(paths),
    ).catch(() => undefined);
    if (!request.signal.aborted) await discarding;
    throw error;
  }
}

/** @throws {HostProblemError} with its last words when it does not listen in time */
async function awaitGateway(request: HostRequest): Promise<void> {
  const startedAt = performance.now();
  while (!(await listens(request))) {
    if (performance.now() - startedAt > START_LIMIT_MS) {
      const words = (await runRootScript(request, lastWordsScript(gatewayPaths(request.owner)))).stdout.trim();
      throw new HostProblemError(
        'agent-failed',
        false,
        `${request.hostname}: the gateway does not start: ${words.slice(-500) || 'it says nothing'}`,
      );
    }
    await delay(RETRY_MS, undefined, { signal: request.signal });
  }
}

async function listens({ connection, owner, signal }: HostRequest): Promise<boolean> {
  try {
    (await connection.openUnix(gatewayPaths(owner).socket)).destroy();
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

interface Words {
  one(key: string): string;
  all(key: string): readonly string[];
}

function wordsByKey(text: string): Words {
  const pairs = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()] as const];
  });
  const all = (key: string): string[] => pairs.flatMap(([name, value]) => (name === key ? [value] : []));
  return { all, one: (key) => all(key)[0] ?? '' };
}

function fitArchitecture(request: HostRequest, seen: Words): 'x86' | 'arm' {
  if (seen.one('kernel') !== 'Linux')
    throw problem(
      request,
      'not-linux',
      `it runs ${seen.one('kernel') || 'an unknown system'}; only Linux hosts can be gateways`,
    );
  const arch = architectureOf(seen.one('machine'));
  if (arch !== undefined) return arch;
  const text = `its processor is of the kind ${seen.one('machine')}; there are gateways for x86_64 and aarch64 only`;
  throw problem(request, 'unsupported-architecture', text);
}

function failed({ hostname }: HostRequest, what: string, result: ScriptResult): HostProblemError {
  return new HostProblemError('agent-failed', false, `${hostname}: ${what} failed: ${wordsOf(result)}`);
}

function problem(
  { hostname }: HostRequest,
  kind: 'not-linux' | 'unsupported-architecture' | 'agent-failed',
  text: string,
): HostProblemError {
  return new HostProblemError(kind, true, `${hostname}: ${text}`);
}
