/** What `default_permissions` of `config.yml` grants beyond roles. */
export interface DefaultPermissions {
  readonly allowNonAdminsCreateProjects: boolean;
  readonly allowNonAdminsManageSshFleets: boolean;
  readonly allowManagersManageSecrets: boolean;
}

export const DEFAULT_PERMISSIONS = Symbol('DefaultPermissions');

export const STANDARD_PERMISSIONS: DefaultPermissions = {
  allowNonAdminsCreateProjects: true,
  allowNonAdminsManageSshFleets: true,
  allowManagersManageSecrets: false,
};
