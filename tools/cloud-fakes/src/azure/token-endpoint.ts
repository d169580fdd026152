import type { ArmAnswer } from './arm-answer.js';

export interface AzureAccount {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export const TOKEN = 'eyJ.fake.token';

/** Entra ID's client credentials flow, with the codes of its documentation. */
export function answerToken(path: string, form: URLSearchParams, account: AzureAccount): ArmAnswer {
  const tenant = path.split('/')[1] ?? '';
  if (tenant !== account.tenantId)
    return refused(
      400,
      'invalid_request',
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`,
    );
  const isForm =
    form.get('grant_type') === 'client_credentials' && form.get('scope') === 'https://management.azure.com/.default';
  if (!isForm) return refused(400, 'invalid_request', 900144, 'The request body must contain grant_type and scope.');
  if (form.get('client_id') !== account.clientId)
    return refused(
      400,
      'unauthorized_client',
      700016,
      `Application '${form.get('client_id')}' was not found in the directory.`,
    );
  if (form.get('client_secret') !== account.clientSecret)
    return refused(401, 'invalid_client', 7000215, 'Invalid client secret provided.');
  return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: TOKEN } };
}

function refused(status: number, error: string, code: number, text: string): ArmAnswer {
  return { status, body: { error, error_description: `AADSTS${code}: ${text} Trace ID: 0`, error_codes: [code] } };
}
