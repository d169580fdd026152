import type { Wire } from '@dstack/core';
import type { SecretField } from '../reconcile/sealed-json.js';

const HIDDEN = '********';
const HIDDEN_AUTH: Wire.RegistryAuth = { username: HIDDEN, password: HIDDEN };

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

/** The JSON of a field that holds secrets, as `redactRunSpec` and `redactJobSpec` show it. */
export function redactedText(field: SecretField, open: () => string): string {
  const text = open();
  const value = JSON.parse(text) as unknown;
  // A tag of that name.
  if (typeof value !== 'object') return text;
  switch (field) {
    case 'env':
      return JSON.stringify(redactEnv(value as Wire.Env));
    case 'headers':
      return JSON.stringify(redactHeaders(value as Wire.HTTPHeaderSpec[]));
    case 'registry_auth':
      return JSON.stringify(HIDDEN_AUTH);
    case 'ssh_key':
      return 'null';
  }
}

function redactEnv(env: Wire.Env): Wire.Env {
  if (Array.isArray(env)) return env.map((line) => `${line.split('=')[0] ?? ''}=${HIDDEN}`);
  return Object.fromEntries(Object.keys(env).map((name) => [name, HIDDEN]));
}

function redactProbe<P extends { readonly headers?: readonly Wire.HTTPHeaderSpec[] }>(probe: P): P {
  const { headers } = probe;
  return headers === undefined ? probe : { ...probe, headers: redactHeaders(headers) };
}

function redactHeaders(headers: readonly Wire.HTTPHeaderSpec[]): Wire.HTTPHeaderSpec[] {
  return headers.map(({ name }) => ({ name, value: HIDDEN }));
}

function redactAuth(auth: Wire.RegistryAuth | null | undefined): Wire.RegistryAuth | null {
  return auth ? HIDDEN_AUTH : null;
}
