import type { CloudAccounts } from '@dstack/catalog/refresh';

type Environment = Readonly<Record<string, string | undefined>>;

/** Keys of clouds whose lists are not told to everybody, or tell more to some; all but AWS's, whose own library finds them. */
export function accountsOf(env: Environment): CloudAccounts {
  const { AZURE_SUBSCRIPTION_ID: subscription, AZURE_ACCESS_TOKEN: azureToken } = env;
  const { GOOGLE_API_KEY: apiKey, GOOGLE_ACCESS_TOKEN: googleToken, GOOGLE_CLOUD_PROJECT: project } = env;
  const { LAMBDA_API_KEY: lambdaKey } = env;
  return {
    ...(subscription && azureToken ? { azure: { subscription, token: azureToken } } : {}),
    ...(googleToken ? { gcp: { key: { token: googleToken }, project: project || null } } : {}),
    ...(!googleToken && apiKey ? { gcp: { key: { apiKey }, project: null } } : {}),
    ...(lambdaKey ? { lambda: { apiKey: lambdaKey } } : {}),
  };
}
