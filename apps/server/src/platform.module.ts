import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AuthService } from './auth/auth.service.js';
import { BackendAccounts } from './backends/backend-accounts.js';
import { BackendEnvironments } from './backends/backend-environments.js';
import { BackendRegistry } from './backends/backend-registry.js';
import { BackendStore } from './backends/backend-store.js';
import { BackendsController } from './backends/backends.controller.js';
import { BackendsService } from './backends/backends.service.js';
import { BackendsLog } from './bootstrap/backends-log.js';
import { FirstIdentity } from './bootstrap/first-identity.js';
import { INSTALLATION, type Installation } from './bootstrap/installation.js';
import { CatalogStore } from './catalogs/catalog-store.js';
import { Catalogs } from './catalogs/catalogs.js';
import { StoredCatalogs } from './catalogs/stored-catalogs.js';
import { ConfigApplier } from './config-file/config-applier.js';
import { EventRecorder } from './events/event-recorder.js';
import { EventRetention } from './events/event-retention.js';
import { EventsController } from './events/events.controller.js';
import { EventsService } from './events/events.service.js';
import { FileArchivesService } from './files/file-archives.service.js';
import { Uploads, openUploads } from './files/uploads.js';
import { FilesController } from './files/files.controller.js';
import { AccessGuard } from './http/access.guard.js';
import { ContractInterceptor } from './http/contract.interceptor.js';
import { ErrorFilter } from './http/error-filter.js';
import { Keyring } from './keys/keyring.js';
import { Database } from './persistence/database.js';
import { MembersService } from './projects/members.service.js';
import { Policies } from './policies/policies.js';
import { ProjectStore } from './projects/project-store.js';
import { ProjectView } from './projects/project-view.js';
import { ProjectsController } from './projects/projects.controller.js';
import { ProjectsService } from './projects/projects.service.js';
import { RepoStore } from './repos/repo-store.js';
import { ReposController } from './repos/repos.controller.js';
import { ReposService } from './repos/repos.service.js';
import { SecretsController } from './secrets/secrets.controller.js';
import { SecretsService } from './secrets/secrets.service.js';
import { StoredSecrets } from './secrets/stored-secrets.js';
import { READINESS, type Readiness } from './server-info/readiness.js';
import { ServerInfoController } from './server-info/server-info.controller.js';
import { DEFAULT_PERMISSIONS, type DefaultPermissions } from './settings/default-permissions.js';
import { SETTINGS, type ServerSettings } from './settings/settings.js';
import { SERVER_LIVES, type ServerLives } from './reconcile/server-lives.js';
import { BegunSignIns } from './sign-in/begun-sign-ins.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { SignInService } from './sign-in/sign-in.service.js';
import { SignedInUser } from './sign-in/signed-in-user.js';
import { PublicKeysService } from './users/public-keys.service.js';
import { TemplatesController } from './templates/templates.controller.js';
import { TemplatesService } from './templates/templates.service.js';
import { TokensController } from './users/tokens.controller.js';
import { TokensService } from './users/tokens.service.js';
import { UserStore } from './users/user-store.js';
import { TELEMETRY_COUNTS } from './telemetry/telemetry.js';
import type { TelemetryCounts } from './telemetry/telemetry-counts.js';
import { UsersController } from './users/users.controller.js';
import { UsersService } from './users/users.service.js';
import { WORLD, type World } from './world/world.js';

/** What is opened before the application is put together. */
export interface PlatformParts {
  readonly db: Database;
  readonly world: World;
  readonly settings: ServerSettings;
  readonly keyring: Keyring;
  readonly installation: Installation;
  readonly permissions: DefaultPermissions;
  readonly policies: Policies;
  readonly readiness: Readiness;
  readonly lives: ServerLives;
  readonly counts: TelemetryCounts;
}

export const PLATFORM_CONTROLLERS: readonly Type[] = [
  ServerInfoController,
  SignInController,
  UsersController,
  TokensController,
  ProjectsController,
  BackendsController,
  EventsController,
  SecretsController,
  ReposController,
  FilesController,
  TemplatesController,
];

const SHARED = [
  AuthService,
  BackendEnvironments,
  BackendAccounts,
  BackendRegistry,
  BackendStore,
  CatalogStore,
  EventRecorder,
  ProjectStore,
  RepoStore,
  StoredCatalogs,
  StoredSecrets,
  UserStore,
] as const;

/** Persistence, identity and the modules without a life of their own; global, so that others inject its services. */
@Global()
@Module({})
export class PlatformModule {
  static of(parts: PlatformParts): DynamicModule {
    const values = [
      { provide: Database, useValue: parts.db },
      { provide: Keyring, useValue: parts.keyring },
      { provide: WORLD, useValue: parts.world },
      { provide: SETTINGS, useValue: parts.settings },
      { provide: INSTALLATION, useValue: parts.installation },
      { provide: DEFAULT_PERMISSIONS, useValue: parts.permissions },
      { provide: Policies, useValue: parts.policies },
      { provide: READINESS, useValue: parts.readiness },
      { provide: SERVER_LIVES, useValue: parts.lives },
      { provide: TELEMETRY_COUNTS, useValue: parts.counts },
    ];
    const catalogs = { provide: Catalogs, useExisting: StoredCatalogs };
    return {
      module: PlatformModule,
      controllers: [...PLATFORM_CONTROLLERS],
      providers: [
        ...values,
        catalogs,
        ...SHARED,
        BackendsLog,
        BackendsService,
        ConfigApplier,
        EventRetention,
        EventsService,
        FileArchivesService,
        FirstIdentity,
        { provide: Uploads, useFactory: () => openUploads(parts.settings.blobStore, process.env) },
        MembersService,
        ProjectView,
        ProjectsService,
        PublicKeysService,
        ReposService,
        BegunSignIns,
        SignedInUser,
        SignInService,
        SecretsService,
        TemplatesService,
        TokensService,
        UsersService,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: ContractInterceptor },
        { provide: APP_FILTER, useClass: ErrorFilter },
      ],
      exports: [...values.map(({ provide }) => provide), Catalogs, Uploads, ...SHARED],
    };
  }
}
