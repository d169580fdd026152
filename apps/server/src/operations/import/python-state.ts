import type { GlobalRole, ProjectRole } from '../../auth/caller.js';
import type { BackendConfig } from '../../backends/backend-store.js';
import type { Keyring } from '../../keys/keyring.js';
import type { DatabaseReader } from '../database-reader.js';
import { OperationError } from '../operation-error.js';

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

type Cell = string | number | boolean | null;
type Row = Readonly<Record<string, Cell>>;

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
  const users = await reader.query<Row>(
    `SELECT id, name, token, global_role, active, email, projects_quota, ssh_public_key, ssh_private_key, ${time('created_at')}
     FROM users WHERE NOT deleted ORDER BY users.created_at`,
  );
  const projects = await reader.query<Row>(
    `SELECT id, name, owner_id, is_public, ssh_public_key, ssh_private_key, templates_repo, ${time('created_at')}
     FROM projects WHERE NOT deleted ORDER BY projects.created_at`,
  );
  const names = new Map(projects.map((row) => [uuid(row['id']), String(row['name'])]));
  const isOfProject = (row: Row): boolean => names.has(uuid(row['project_id']));
  const some = async (sql: string): Promise<Row[]> => (await reader.query<Row>(sql)).filter(isOfProject);
  return {
    users: users.map((row) => ({
      id: uuid(row['id']),
      name: String(row['name']),
      token: open(row['token'] ?? null, `The token of user ${row['name']}`),
      globalRole: oneOf(['admin', 'user'], row['global_role']),
      active: isTrue(row['active']),
      email: textOrNull(row['email']),
      projectsQuota: Number(row['projects_quota']),
      sshPublicKey: textOrNull(row['ssh_public_key']),
      sshPrivateKey: textOrNull(row['ssh_private_key']),
      createdAt: millis(row['created_at']),
    })),
    publicKeys: (
      await reader.query<Row>(`SELECT id, user_id, name, type, fingerprint, key, ${time('created_at')} FROM user_public_keys`)
    ).map((row) => ({
      id: uuid(row['id']),
      userId: uuid(row['user_id']),
      name: String(row['name']),
      type: String(row['type']),
      fingerprint: String(row['fingerprint']),
      key: String(row['key']),
      createdAt: millis(row['created_at']),
    })),
    projects: projects.map((row) => ({
      id: uuid(row['id']),
      name: String(row['name']),
      ownerId: uuid(row['owner_id']),
      isPublic: isTrue(row['is_public']),
      sshPublicKey: String(row['ssh_public_key']),
      sshPrivateKey: String(row['ssh_private_key']),
      templatesRepo: textOrNull(row['templates_repo']),
      createdAt: millis(row['created_at']),
    })),
    members: (await some('SELECT project_id, user_id, project_role FROM members ORDER BY member_num IS NULL, member_num, id')).map((row) => ({
      projectId: uuid(row['project_id']),
      userId: uuid(row['user_id']),
      role: oneOf(['admin', 'manager', 'user'], row['project_role']),
    })),
    backends: (await some('SELECT project_id, type, config, auth, source_config, source_auth FROM backends ORDER BY id')).map(
      (row) => ({
        projectId: uuid(row['project_id']),
        config: backendConfig(row, (stored) => open(stored, `Backend ${row['type']} of project ${names.get(uuid(row['project_id']))}`)), // prettier-ignore
      }),
    ),
    secrets: (await some('SELECT project_id, name, value FROM secrets ORDER BY name')).map((row) => ({
      projectId: uuid(row['project_id']),
      name: String(row['name']),
      value: open(row['value'] ?? null, `Secret ${row['name']} of project ${names.get(uuid(row['project_id']))}`),
    })),
    repos: (await some('SELECT id, project_id, name, type, info FROM repos')).map((row) => ({
      id: uuid(row['id']),
      projectId: uuid(row['project_id']),
      name: String(row['name']),
      type: String(row['type']).toLowerCase(),
      info: String(row['info']),
    })),
    repoCreds: (await reader.query<Row>('SELECT repo_id, user_id, creds FROM repo_creds WHERE creds IS NOT NULL')).map((row) => ({
      repoId: uuid(row['repo_id']),
      userId: uuid(row['user_id']),
      creds: open(row['creds'] ?? null, 'The credentials of a repo'),
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
    const [row] = await reader.query<Row>(`SELECT count(*) AS number FROM ${table} WHERE ${where}`);
    return Number(row?.['number'] ?? 0);
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
function backendConfig(row: Row, open: (stored: Cell) => string): BackendConfig {
  const [config, auth] =
    row['source_config'] == null ? [row['config'], row['auth']] : [row['source_config'], row['source_auth']];
  const fields = withoutNulls(JSON.parse(String(config)) as Readonly<Record<string, unknown>>);
  const creds = auth == null ? undefined : (JSON.parse(open(auth)) as unknown);
  const isKubernetes = fields['type'] === 'kubernetes';
  return {
    type: String(row['type']).toLowerCase(),
    ...fields,
    ...(creds === undefined || isKubernetes ? {} : { creds }),
  };
}

function withoutNulls(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** Both engines give the same text: drivers would read it in the time zone of this machine. */
const time = (column: string): string => `CAST(${column} AS text) AS ${column}`;

const millis = (cell: Cell | undefined): number => Date.parse(`${String(cell).replace(' ', 'T')}Z`);

function uuid(cell: Cell | undefined): string {
  const hex = String(cell).replaceAll('-', '');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const isTrue = (cell: Cell | undefined): boolean => cell === true || cell === 1;

const textOrNull = (cell: Cell | undefined): string | null => (typeof cell === 'string' ? cell : null);

function oneOf<T extends string>(known: readonly T[], cell: Cell | undefined): T {
  const text = String(cell).toLowerCase();
  const found = known.find((value) => value === text);
  if (found === undefined) throw new OperationError(`The database holds a role that is not known here: ${text}.`);
  return found;
}
