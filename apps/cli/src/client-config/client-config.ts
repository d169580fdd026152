export interface ConfiguredProject {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly default: boolean;
}

/** `~/.dstack/config.yml`. */
export interface ClientConfig {
  readonly projects: readonly ConfiguredProject[];
}

export const EMPTY_CLIENT_CONFIG: ClientConfig = { projects: [] };

/** The parsed document as a configuration; entries that are no projects are left out. Pure. */
export function toClientConfig(document: unknown): ClientConfig {
  const projects = isRecord(document) && Array.isArray(document['projects']) ? document['projects'] : [];
  return {
    projects: projects.filter(isRecord).flatMap((entry) => {
      const { name, url, token } = entry;
      if (typeof name !== 'string' || typeof url !== 'string' || typeof token !== 'string') return [];
      return [{ name, url, token, default: entry['default'] === true }];
    }),
  };
}

/** Adds or replaces a project. The first becomes the default; `makeDefault` makes any. */
export function withProject(
  config: ClientConfig,
  project: Omit<ConfiguredProject, 'default'>,
  makeDefault?: boolean,
): ClientConfig {
  const existing = config.projects.find((each) => each.name === project.name);
  const isDefault = makeDefault === true || existing?.default === true || config.projects.length === 0;
  const entry: ConfiguredProject = { ...project, default: isDefault };
  const others = makeDefault === true ? config.projects.map((each) => ({ ...each, default: false })) : config.projects;
  return {
    projects: existing ? others.map((each) => (each.name === project.name ? entry : each)) : [...others, entry],
  };
}

export function withDefault(config: ClientConfig, name: string): ClientConfig {
  return { projects: config.projects.map((project) => ({ ...project, default: project.name === name })) };
}

export function withoutProject(config: ClientConfig, name: string): ClientConfig {
  return { projects: config.projects.filter((project) => project.name !== name) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
