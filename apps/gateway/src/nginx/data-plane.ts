import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayProblem } from '@dstack/gateway-protocol';
import type { GatewaySettings } from '../settings.js';
import { canCloseIdle, canRejectHandshake } from './features.js';
import { forgetAnswers, keptAnswersPlace } from './kept-answers.js';
import { nginxConfig } from './nginx-config.js';
import { NginxControl, NginxRefusalError } from './nginx-control.js';
import type { NginxInput, NginxPlace } from './nginx-input.js';
import { NginxProgram } from './nginx-program.js';
import { openFiles } from './open-files.js';
import { rotateLogs } from './rotate-logs.js';
import { strangerCertificate } from './stranger-certificate.js';
import type { WorkerUser } from './worker-user.js';

/** A port may become free, nginx may be installed. */
const AGAIN_MS = 10_000;

export interface DataPlaneParts {
  readonly settings: GatewaySettings;
  readonly workers: WorkerUser | null;
  readonly appSocketPath: string;
}

/** Of the state, what nginx has to know. */
export type Served = Pick<NginxInput, 'services' | 'modelHosts' | 'trustedProxies'>;

/** nginx as this gateway uses it. One service that nginx refuses does not keep the others from being served. */
export class DataPlane {
  private readonly program: NginxProgram;
  private readonly control: NginxControl;
  private place: NginxPlace | null = null;
  private readonly refused = new Map<string, GatewayProblem>();
  private served: ReadonlySet<string> = new Set();
  /** A program before this one may have served some. */
  private isServing = true;
  private triedAt = 0;
  /** Null: it runs with what it was given. */
  problem: GatewayProblem | null = null;

  constructor(private readonly parts: DataPlaneParts) {
    this.program = new NginxProgram(parts.settings.nginx, join(parts.settings.dir, 'nginx'));
    this.control = new NginxControl(this.program);
  }

  /** Never throws: what is wrong is told as `problem`. */
  async apply(served: Served): Promise<void> {
    this.refused.clear();
    this.triedAt = performance.now();
    try {
      await this.applyOrThrow(served);
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  /** Whoever asks is asked about anew. */
  async forgetAnswers(): Promise<void> {
    const place = this.place?.keptAnswers ?? null;
    if (place !== null) await forgetAnswers(place);
  }

  /** Those that were told to end, and have not yet. */
  formerWorkers(): Promise<number> {
    return this.program.formerWorkers();
  }

  /** Of one name. */
  problemOf(host: string): GatewayProblem | null {
    return this.refused.get(host) ?? null;
  }

  serves(host: string): boolean {
    return this.served.has(host);
  }

  /** Whether something has to be applied again: nginx has died, or what was given was not taken a while ago. */
  async needsHelp(): Promise<boolean> {
    await rotateLogs(this.program);
    if (this.problem !== null) return performance.now() - this.triedAt > AGAIN_MS;
    return (await this.program.pid()) === null;
  }

  private async applyOrThrow(served: Served): Promise<void> {
    this.place ??= await this.findPlace();
    const { place } = this;
    const whole = { ...place, ...served };
    try {
      await this.control.apply(nginxConfig(whole), this.isServing);
      this.took(served);
      return;
    } catch (error) {
      if (!(error instanceof NginxRefusalError)) throw error;
      const good = await this.withoutRefused(served);
      if (this.refused.size === 0) throw error;
      await this.control.apply(nginxConfig({ ...place, ...good }), this.isServing);
      this.took(good);
    }
  }

  private took(served: Served): void {
    this.served = namesOf(served);
    this.isServing = this.served.size > 0;
  }

  private async withoutRefused(served: Served): Promise<Served> {
    const { place, control } = this;
    if (place === null) return served;
    const alone = { ...place, services: [], modelHosts: [], trustedProxies: served.trustedProxies };
    const services = [];
    for (const each of served.services) {
      const refusal = await control.refusal(nginxConfig({ ...alone, services: [each] }));
      if (refusal === null) services.push(each);
      else this.refused.set(each.service.host, problemOf(new NginxRefusalError(refusal)));
    }
    return { ...served, services };
  }

  private async findPlace(): Promise<NginxPlace> {
    const { settings, workers, appSocketPath } = this.parts;
    const { directory } = this.program;
    await mkdir(directory, { recursive: true, mode: 0o711 });
    const version = await this.program.version();
    return {
      directory,
      appSocketPath,
      user: workers?.name ?? null,
      openFiles: await openFiles(),
      addresses: settings.addresses,
      httpPort: settings.httpPort,
      httpsPort: settings.httpsPort,
      keptAnswers: await keptAnswersPlace(settings.dir),
      strangerCertificatePath: canRejectHandshake(version) ? null : await strangerCertificate(directory),
      closesIdle: canCloseIdle(version),
    };
  }
}

function namesOf({ services, modelHosts }: Served): Set<string> {
  const all = [
    ...services.map(({ service, certificatePath }) => ({ ...service, certificatePath })),
    ...modelHosts.map(({ modelHost, certificatePath }) => ({ ...modelHost, certificatePath })),
  ];
  return new Set(
    all
      .filter(({ https, certificatePath }) => https !== 'certificate' || certificatePath !== null)
      .map(({ host }) => host),
  );
}

function problemOf(error: unknown): GatewayProblem {
  return { kind: 'nginx', text: `nginx: ${error instanceof Error ? error.message : String(error)}` };
}
