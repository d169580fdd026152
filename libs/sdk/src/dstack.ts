import { Transport, type TransportOptions } from './http/transport.js';
import { Auth } from './resources/auth.js';
import { Backends } from './resources/backends.js';
import { Events } from './resources/events.js';
import { Files } from './resources/files.js';
import { Fleets } from './resources/fleets.js';
import { Gateways } from './resources/gateways.js';
import { Gpus } from './resources/gpus.js';
import { Instances } from './resources/instances.js';
import { Logs } from './resources/logs.js';
import { Metrics } from './resources/metrics.js';
import { ProjectCalls } from './resources/project-call.js';
import { Projects } from './resources/projects.js';
import { Repos } from './resources/repos.js';
import { Runs } from './resources/runs.js';
import { Secrets } from './resources/secrets.js';
import { Server } from './resources/server.js';
import { Exports, Imports } from './resources/sharing.js';
import { Users } from './resources/users.js';
import { Volumes } from './resources/volumes.js';

export interface DstackOptions extends TransportOptions {
  /** The project that runs, fleets, secrets … belong to. Default `main`. */
  readonly project?: string | undefined;
}

/** A client of one server, seen from one project. */
export class Dstack {
  readonly url: string;
  readonly project: string;
  readonly server: Server;
  readonly auth: Auth;
  readonly users: Users;
  readonly projects: Projects;
  readonly files: Files;
  readonly events: Events;
  readonly backends: Backends;
  readonly repos: Repos;
  readonly secrets: Secrets;
  readonly runs: Runs;
  readonly logs: Logs;
  readonly metrics: Metrics;
  readonly fleets: Fleets;
  readonly instances: Instances;
  readonly gpus: Gpus;
  readonly volumes: Volumes;
  readonly gateways: Gateways;
  readonly exports: Exports;
  readonly imports: Imports;

  constructor(private readonly options: DstackOptions) {
    const transport = new Transport(options);
    this.url = transport.url;
    this.project = options.project ?? 'main';
    const project = new ProjectCalls(transport, this.project);
    this.server = new Server(transport);
    this.auth = new Auth(transport);
    this.users = new Users(transport);
    this.projects = new Projects(transport);
    this.files = new Files(transport);
    this.events = new Events(transport);
    this.backends = new Backends(project);
    this.repos = new Repos(project);
    this.secrets = new Secrets(project);
    this.logs = new Logs(project);
    this.runs = new Runs(project, this.logs);
    this.metrics = new Metrics(project);
    this.fleets = new Fleets(project);
    this.instances = new Instances(project);
    this.gpus = new Gpus(project);
    this.volumes = new Volumes(project);
    this.gateways = new Gateways(project);
    this.exports = new Exports(project);
    this.imports = new Imports(project);
  }

  /** The same server and user, another project. */
  withProject(project: string): Dstack {
    return new Dstack({ ...this.options, project });
  }
}
