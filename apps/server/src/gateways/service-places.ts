import {
  gatewayService,
  gatewayWish,
  type GatewayWish,
  serviceSpecWithoutGateway,
  whyNotServedHere,
  type Wire,
} from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import type { ProjectScope } from '../auth/caller.js';
import { ClientError, ResourceNotExistsError } from '../http/api-errors.js';
import type { ReadTx } from '../persistence/transaction.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { findGateways, findNamedGateway, gatewayFact, type GatewayRecord } from './gateway-record.js';
import { findImportedGateway, findImportedGateways } from './imported-gateways.js';
import { findReplicasOf } from './gateway-replica-record.js';

export interface ServicePlace {
  /** Null: this server serves it itself. */
  readonly gatewayId: string | null;
  readonly serviceSpec: Wire.ServiceSpec;
}

/** Where a service is served, decided when it is submitted. */
@Injectable()
export class ServicePlaces {
  constructor(@Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'runLimits' | 'proxyUrl'>) {}

  /** Null: the run is no service. @throws {ClientError} when it cannot be served as it asks */
  async choose(tx: ReadTx, scope: ProjectScope, spec: Wire.RunSpec, runName: string): Promise<ServicePlace | null> {
    const { configuration } = spec;
    if (configuration.type !== 'service') return null;
    const { projectName } = scope;
    const gateway = await chosen(tx, scope, gatewayWish(configuration));
    if (gateway === null) {
      const { runLimits, proxyUrl = '' } = this.settings;
      const obstacle = whyNotServedHere(configuration, runLimits);
      if (obstacle !== null) throw new ClientError(obstacle);
      return {
        gatewayId: null,
        serviceSpec: serviceSpecWithoutGateway(configuration, projectName, runName, proxyUrl),
      };
    }
    const replicas = await findReplicasOf(tx, gateway.id);
    const running = replicas.filter(({ status, isUnwanted }) => status === 'running' && !isUnwanted).length;
    const service = gatewayService(gatewayFact(gateway, running), { configuration, projectName, runName });
    if (!service.ok) throw new ClientError(service.problem, 'gateway_error');
    if (service.host === `gateway.${service.domain}`)
      throw new ClientError(`${service.host} is where models are asked for: give the service another name`);
    return { gatewayId: gateway.id, serviceSpec: service.spec };
  }
}

/** Null: none. */
async function chosen(tx: ReadTx, scope: ProjectScope, wish: GatewayWish): Promise<GatewayRecord | null> {
  switch (wish.kind) {
    case 'none':
      return null;
    case 'named': {
      const isOwn = wish.project === null || wish.project === scope.projectName;
      const gateway = isOwn
        ? await findNamedGateway(tx, scope.projectId, wish.name)
        : await findImportedGateway(tx, scope.projectId, wish.project ?? '', wish.name);
      if (gateway !== null) return gateway;
      const reference = isOwn ? wish.name : `${wish.project ?? ''}/${wish.name}`;
      throw new ResourceNotExistsError(
        `Gateway ${reference} does not exist in this project, and is not imported into it`,
      );
    }
    case 'default': {
      const gateway = await defaultGateway(tx, scope.projectId);
      if (gateway === null && wish.isRequired)
        throw new ClientError(
          'The service asks for the default gateway, and the project has none. Set one: dstack gateway update NAME --set-default',
          'resource_not_exists',
        );
      return gateway;
    }
  }
}

/** One of another project only as long as that shares it. */
async function defaultGateway(tx: ReadTx, projectId: string): Promise<GatewayRecord | null> {
  const [gateway] = await findGateways(
    tx,
    'id IN (SELECT default_gateway_id FROM projects WHERE id = ?) AND deleted = ? AND deletion_requested_at IS NULL',
    [projectId, false],
  );
  if (gateway === undefined || gateway.projectId === projectId) return gateway ?? null;
  const imported = await findImportedGateways(tx, projectId);
  return imported.some(({ id }) => id === gateway.id) ? gateway : null;
}
