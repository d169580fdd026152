/** How a column holds what is encrypted: as its whole text, or in fields of its JSON (`reconcile/sealed-json.ts`). */
export type SealedForm = 'text' | 'json';

export interface SealedColumn {
  readonly table: string;
  /** What a row is found by. */
  readonly key: readonly string[];
  readonly column: string;
  readonly form: SealedForm;
}

const text = (table: string, column: string, key: readonly string[] = ['id']): SealedColumn => ({
  table,
  key,
  column,
  form: 'text',
});
const json = (table: string, column: string): SealedColumn => ({ table, key: ['id'], column, form: 'json' });

/** Every column that holds encrypted values. A test looks for others. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  text('users', 'token'),
  text('users', 'ssh_private_key'),
  text('projects', 'ssh_private_key'),
  text('backends', 'auth'),
  text('secrets', 'value'),
  text('repo_creds', 'creds'),
  text('instances', 'host_access'),
  text('gateways', 'ssh_private_key'),
  text('gateways', 'host_access'),
  text('gateway_certificates', 'certificate', ['gateway_id', 'host']),
  text('begun_sign_ins', 'sealed'),
  json('fleets', 'spec'),
  json('runs', 'run_spec'),
  json('runs', 'former_run_spec'),
  json('jobs', 'job_spec'),
];
