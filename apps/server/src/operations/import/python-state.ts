import type { GlobalRole, ProjectRole } from '../../auth/caller.js';
import type { BackendConfig } from '../../backends/backend-store.js';
import type { Keyring } from '../../keys/keyring.js';
import type { DatabaseReader } from '../database-reader.js';
import { OperationError } from '../operation-error.js';
import { type Cell, type PythonRow, pythonRows, time } from './python-row.js';

export interface ImportedUser {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly globalRole: GlobalRole;
  readonly active: boolean;
  readonly email: string | null;
  readonly projectsQuota: number;
  readonly sshPublicKey: string | null;
  readonly sshPrivateKey: string | null;
  readonly createdAt: number;
}

export interface ImportedProject {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly isPublic: boolean;
  readonly sshPublicKey: string;
  readonly sshPrivateKey: string;
  readonly templatesRepo: string | null;
  readonly createdAt: number;
}

export interface ImportedKey {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly type: string;
  readonly fingerprint: string;
  readonly key: string;
  readonly createdAt: number;
}

/** What is brought from a database of dstack 0.21, opened and in our words. Ids are UUIDs with dashes, times Unix milliseconds. */
export interface PythonState {
  readonly users: readonly ImportedUser[];
  readonly publicKeys: readonly ImportedKey[];
  readonly projects: readonly ImportedProject[];
  readonly members: readonly { readonly projectId: string; readonly userId: string; readonly role: ProjectRole }[];
  readonly backends: readonly { readonly projectId: string; readonly config: BackendConfig }[];
  readonly secrets: readonly { readonly projectId: string; readonly name: string; readonly value: string }[];
  readonly repos: readonly {
    readonly id: string;
    readonly projectId: string;
    readonly name: string;
    readonly type: string;
    readonly info: string;
  }[];
  readonly repoCreds: readonly { readonly repoId: string; readonly userId: string; readonly creds: string }[];
  /** How many of what is not brought, in words. */
  readonly left: readonly string[];
}

/**
 * @throws {OperationError} when it is no such database, or holds values that no key opens
 */
export async function readPythonState(reader: DatabaseReader, keyring: Keyring): Promise<PythonState> {
  await refuseOther(reader);
  const open = (stored: Cell, where: string): string => {
    const text = keyring.tryDecrypt(String(stored));
    if (text !== undefined) return text;
    throw new OperationError(
      `${where} is encrypted with a key that is not here. Pass the config.yml of that server, which has it in encryption.keys: --config FILE`,
    );
  };
  const users = await pythonRows(
    reader,
    `SELECT id, name, token, global_role, active, email, projects_quota, ssh_public_key, ssh_private_key, ${time('created_at')}
     FROM users WHERE NOT deleted ORDER BY users.created_at`,
  );
  const projects = await pythonRows(
    reader,
    `SELECT id, name, owner_id, is_public, ssh_public_key, ssh_private_key, templates_repo, ${time('created_at')}
     FROM projects WHERE NOT deleted ORDER BY projects.created_at`,
  );
  const names = new Map(projects.map((row) => [row.uuid('id'), row.text('name')]));
  const isOfProject = (row: PythonRow): boolean => names.has(row.uuid('project_id'));
  const some = async (sql: string): Promise<PythonRow[]> => (await pythonRows(reader, sql)).filter(isOfProject);
  return {
    users: users.map((row) => ({
      id: row.uuid('id'),
      name: row.text('name'),
      token: open(row.cell('token'), `The token of user ${row.text('name')}`),
      globalRole: row.oneOf(['admin', 'user'], 'global_role'),
      active: row.isTrue('active'),
      email: row.textOrNull('email'),
      projectsQuota: row.number('projects_quota'),
      sshPublicKey: row.textOrNull('ssh_public_key'),
      sshPrivateKey: row.textOrNull('ssh_private_key'),
      createdAt: row.millis('created_at'),
    })),
    publicKeys: (
      await pythonRows(reader, `SELECT id, user_id, name, type, fingerprint, key, ${time('created_at')} FROM user_public_keys`)
    ).map((row) => ({
      id: row.uuid('id'),
      userId: row.uuid('user_id'),
      name: row.text('name'),
      type: row.text('type'),
      fingerprint: row.text('fingerprint'),
      key: row.text('key'),
      createdAt: row.millis('created_at'),
    })),
    projects: projects.map((row) => ({
      id: row.uuid('id'),
      name: row.text('name'),
      ownerId: row.uuid('owner_id'),
      isPublic: row.isTrue('is_public'),
      sshPublicKey: row.text('ssh_public_key'),
      sshPrivateKey: row.text('ssh_private_key'),
      templatesRepo: row.textOrNull('templates_repo'),
      createdAt: row.millis('created_at'),
    })),
    members: (await some('SELECT project_id, user_id, project_role FROM members ORDER BY member_num IS NULL, member_num, id')).map((row) => ({
      projectId: row.uuid('project_id'),
      userId: row.uuid('user_id'),
      role: row.oneOf(['admin', 'manager', 'user'], 'project_role'),
    })),
    backends: (await some('SELECT project_id, type, config, auth, source_config, source_auth FROM backends ORDER BY id')).map(
      (row) => ({
        projectId: row.uuid('project_id'),
        config: backendConfig(row, (stored) => open(stored, `Backend ${row.text('type')} of project ${names.get(row.uuid('project_id'))}`)), // prettier-ignore
      }),
    ),
    secrets: (await some('SELECT project_id, name, value FROM secrets ORDER BY name')).map((row) => ({
      projectId: row.uuid('project_id'),
      name: row.text('name'),
      value: open(row.cell('value'), `Secret ${row.text('name')} of project ${names.get(row.uuid('project_id'))}`),
    })),
    repos: (await some('SELECT id, project_id, name, type, info FROM repos')).map((row) => ({
      id: row.uuid('id'),
      projectId: row.uuid('project_id'),
      name: row.text('name'),
      type: row.text('type').toLowerCase(),
      info: row.text('info'),
    })),
    repoCreds: (await pythonRows(reader, 'SELECT repo_id, user_id, creds FROM repo_creds WHERE creds IS NOT NULL')).map((row) => ({
      repoId: row.uuid('repo_id'),
      userId: row.uuid('user_id'),
      creds: open(row.cell('creds'), 'The credentials of a repo'),
    })),
    left: await whatIsLeft(reader),
  }; // prettier-ignore
}

async function refuseOther(reader: DatabaseReader): Promise<void> {
  try {
    await reader.query('SELECT version_num FROM alembic_version');
    await reader.query('SELECT templates_repo, original_name FROM projects WHERE 1 = 0');
    await reader.query('SELECT source_auth FROM backends WHERE 1 = 0');
    await reader.query('SELECT fingerprint FROM user_public_keys WHERE 1 = 0');
  } catch (error) {
    throw new OperationError(
      'This is no database of dstack 0.21. Upgrade that server to 0.21.2, start it once, stop it, and import then.',
      { cause: error },
    );
  }
}

/** In each of these is something that goes on costing money unless that server ends it. */
const AT_WORK: readonly (readonly [table: string, what: string, where: string])[] = [
  ['runs', 'runs that are not over', `status NOT IN ('TERMINATED', 'FAILED', 'DONE')`],
  ['fleets', 'fleets', 'NOT deleted'],
  ['volumes', 'volumes', 'NOT deleted'],
  ['gateways', 'gateways', '1 = 1'],
];

const HISTORY: readonly (readonly [table: string, what: string, where: string])[] = [
  ['users', 'deleted users', 'deleted'],
  ['projects', 'deleted projects', 'deleted'],
  ['runs', 'runs that are over', `status IN ('TERMINATED', 'FAILED', 'DONE')`],
  ['exports', 'exports: their fleets and gateways are not brought', '1 = 1'],
  ['events', 'events', '1 = 1'],
];

async function whatIsLeft(reader: DatabaseReader): Promise<string[]> {
  const left: string[] = [];
  const count = async (table: string, where: string): Promise<number> => {
    const [row] = await pythonRows(reader, `SELECT count(*) AS number FROM ${table} WHERE ${where}`);
    return row?.number('number') ?? 0;
  };
  for (const [table, what, where] of AT_WORK) {
    const number = await count(table, where);
    if (number > 0)
      left.push(`${number} ${what}: end them with that server, or they go on costing; apply them here again`);
  }
  for (const [table, what, where] of HISTORY) {
    const number = await count(table, where);
    if (number > 0) left.push(`${number} ${what}`);
  }
  return left;
}

/** As its user wrote it, where that is kept; else with what the server added. */
function backendConfig(row: PythonRow, open: (stored: Cell) => string): BackendConfig {
  const [config, auth] =
    row.cell('source_config') == null
      ? [row.cell('config'), row.cell('auth')]
      : [row.cell('source_config'), row.cell('source_auth')];
  const fields = withoutNulls(JSON.parse(String(config)) as Readonly<Record<string, unknown>>);
  const creds = auth == null ? undefined : (JSON.parse(open(auth)) as unknown);
  const isKubernetes = fields['type'] === 'kubernetes';
  return {
    type: row.text('type').toLowerCase(),
    ...fields,
    ...(creds === undefined || isKubernetes ? {} : { creds }),
  };
}

function withoutNulls(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
