import { ERROR_CODES } from '../../../apps/server/dist/http/api-errors.js';
import { JOB_ENDINGS, RUN_ENDINGS } from '../../../libs/core/dist/wire/endings.js';
import { code, table } from './table.mjs';

/** Why a request is refused, and how runs and jobs end. */
export function errorReference() {
  const codes = Object.entries(ERROR_CODES).map(([name, says]) => [code(name), says]);
  const runs = Object.entries(RUN_ENDINGS).map(([reason, { status, error }]) => [code(reason), status, error ?? '–']);
  const jobs = Object.entries(JOB_ENDINGS).map(([reason, { status, retryEvent, error }]) => [
    code(reason),
    status,
    retryEvent === null ? 'never' : code(retryEvent),
    error ?? '–',
  ]);
  return [
    '# Errors',
    '',
    '## Requests',
    '',
    ...table(
      ['status', 'when'],
      [
        ['400', 'It cannot be done. `{"detail": [{"msg", "code", "fields"?}]}`'],
        ['401', 'There is no token'],
        ['403', 'The token is not known, or its user may not'],
        ['404', 'There is no such project or route'],
        ['422', 'The body, query or path does not have the shape that the operation asks for; `loc` says where'],
        ['500', 'A defect of the server: its log says more'],
      ],
    ),
    ...table(['code', 'what it says'], codes),
    '## How runs end',
    '',
    ...table(['termination reason', 'status', 'shown error'], runs),
    '## How jobs end',
    '',
    'The third column is the member of `retry.on_events` that has the job submitted again.',
    '',
    ...table(['termination reason', 'status', 'retried on', 'shown error'], jobs),
  ];
}
