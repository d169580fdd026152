import type { AccessLevel } from '../http/contract.js';
import { hasRole, type ProjectScope } from './caller.js';

/** Whether a level of the contract lets the sender pass to the operation. Rules about single resources are the services'. */
export function mayEnterProject(level: AccessLevel, scope: ProjectScope): boolean {
  switch (level) {
    case 'project_admin':
      return hasRole(scope, 'admin');
    case 'project_manager':
      return hasRole(scope, 'manager');
    case 'project_manager_or_public':
      return hasRole(scope, 'manager') || scope.isPublic;
    case 'project_member_or_public':
    case 'gateway_project_member_or_public_or_importer':
      return hasRole(scope, 'user') || scope.isPublic;
    case 'project_member':
    case 'project_manager_or_self_leave':
    case 'fleet_project_member_or_importer':
    case 'instance_project_member_or_importer':
    case 'proxy_project_member':
    case 'proxy_project_member_if_service_auth':
      return hasRole(scope, 'user');
    case 'none':
    case 'authenticated':
    case 'global_admin':
    case 'service_account':
    case 'optional_service_account':
      return true;
  }
}

/** What is found there is the service's to limit to what is shared. */
export function letsImportersIn(level: AccessLevel): boolean {
  return (
    level === 'fleet_project_member_or_importer' ||
    level === 'instance_project_member_or_importer' ||
    level === 'gateway_project_member_or_public_or_importer'
  );
}
