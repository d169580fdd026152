import { type ClientConfig, withDefault, withProject } from '../client-config/client-config.js';

export interface LoggedIn {
  readonly url: string;
  readonly token: string;
  /** As the server lists them. */
  readonly projects: readonly string[];
}

/** All projects of the user, with the new token; the default stays what it was. Pure. */
export function withLogin(config: ClientConfig, { url, token, projects }: LoggedIn): ClientConfig {
  const kept = config.projects.find((project) => project.default)?.name;
  const added = projects.reduce((all, name) => withProject(all, { name, url, token }), config);
  return kept === undefined ? { projects: added.projects.map((project) => ({ ...project, default: false })) } : added;
}

export type DefaultChoice = { readonly name: string } | 'ask' | 'keep';

/** Which project is the default after a login. Pure. */
export function chooseDefault(
  config: ClientConfig,
  projects: readonly string[],
  { yes, no, canAsk }: { readonly yes: boolean; readonly no: boolean; readonly canAsk: boolean },
): DefaultChoice {
  const [first] = projects;
  const current = config.projects.find((project) => project.default)?.name;
  if (first === undefined || no) return 'keep';
  if (yes) return { name: first };
  const [only, ...others] = config.projects;
  if (only !== undefined && others.length === 0) return { name: only.name };
  if (canAsk) return 'ask';
  return current === undefined ? { name: first } : 'keep';
}

export function withChosenDefault(config: ClientConfig, choice: { readonly name: string }): ClientConfig {
  return withDefault(config, choice.name);
}
