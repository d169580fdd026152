import type { Wire } from '@dstack/core';
import type { GlobalRole } from '../auth/caller.js';
import { toWireTime } from '../http/wire-time.js';
import type { DefaultPermissions } from '../settings/default-permissions.js';

export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly original_name: string | null;
  readonly global_role: GlobalRole;
  readonly active: boolean;
  readonly email: string | null;
  readonly ssh_public_key: string | null;
  readonly created_at: number;
  /** A program: it has tokens and roles in projects, and cannot sign in. */
  readonly is_service_account: boolean;
}

export const USER_COLUMNS = [
  'id',
  'name',
  'original_name',
  'global_role',
  'active',
  'email',
  'ssh_public_key',
  'created_at',
  'is_service_account',
];

/** `u.id, u.name …` */
export function userColumns(alias: string): string {
  return USER_COLUMNS.map((column) => `${alias}.${column}`).join(', ');
}

export function toWireUser(row: UserRow, permissions: DefaultPermissions): Wire.User {
  return {
    id: row.id,
    username: row.original_name ?? row.name,
    created_at: toWireTime(row.created_at),
    global_role: row.global_role,
    email: row.email,
    active: row.active,
    permissions: { can_create_projects: row.global_role === 'admin' || permissions.allowNonAdminsCreateProjects },
    ssh_public_key: row.ssh_public_key,
  };
}
