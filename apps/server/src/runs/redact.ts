import type { Wire } from '@dstack/core';

const HIDDEN = '********';

/** What a member who does not own the run may see of its spec: names of variables and headers, never their values. */
export function redactRunSpec(spec: Wire.RunSpec): Wire.RunSpec {
  const { configuration } = spec;
  return {
    ...spec,
    configuration: {
      ...configuration,
      ...(configuration.env === undefined ? {} : { env: redactEnv(configuration.env) }),
      registry_auth: redactAuth(configuration.registry_auth),
      ...('probes' in configuration && configuration.probes ? { probes: configuration.probes.map(redactProbe) } : {}),
    },
  };
}

/** The key the nodes share never leaves the server. */
export function redactJobSpec(spec: Wire.JobSpec, isOwner: boolean): Wire.JobSpec {
  if (isOwner) return { ...spec, ssh_key: null };
  return {
    ...spec,
    ssh_key: null,
    env: Object.fromEntries(Object.keys(spec.env).map((name) => [name, HIDDEN])),
    registry_auth: redactAuth(spec.registry_auth) ?? null,
    ...(spec.probes ? { probes: spec.probes.map(redactProbe) } : {}),
  };
}

function redactEnv(env: Wire.Env): Wire.Env {
  if (Array.isArray(env)) return env.map((line) => `${line.split('=')[0] ?? ''}=${HIDDEN}`);
  return Object.fromEntries(Object.keys(env).map((name) => [name, HIDDEN]));
}

function redactProbe<P extends { readonly headers?: readonly Wire.HTTPHeaderSpec[] }>(probe: P): P {
  const { headers } = probe;
  return headers === undefined ? probe : { ...probe, headers: headers.map(({ name }) => ({ name, value: HIDDEN })) };
}

function redactAuth(auth: Wire.RegistryAuth | null | undefined): Wire.RegistryAuth | null {
  return auth ? { username: HIDDEN, password: HIDDEN } : null;
}
