import type * as Wire from '../wire/generated/api.js';

/** With a chat model and no `probes` the service counts as ready once the model answers. `probes: []` turns that off. */
export function probeSpecs(configuration: Wire.ServiceConfiguration): Wire.ProbeSpec[] {
  if (configuration.probes) return configuration.probes.map(completeProbe);
  const model = configuration.model;
  if (!model || model.format !== 'openai') return [];
  return [
    completeProbe({
      type: 'http',
      url: `${(model.prefix ?? '/v1').replace(/\/+$/, '')}/chat/completions`,
      method: 'post',
      headers: [{ name: 'Content-Type', value: 'application/json' }],
      // Spaces as existing clients show them.
      body: `{"model": ${JSON.stringify(model.name)}, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}`,
      timeout: 30,
    }),
  ];
}

/** A probe with nothing left out. */
export type Probe = Required<Wire.ProbeSpec>;

export function completeProbe(probe: Wire.ProbeConfig | Wire.ProbeSpec): Probe {
  return {
    type: probe.type,
    url: probe.url ?? '/',
    method: probe.method ?? 'get',
    headers: probe.headers ?? [],
    body: probe.body ?? null,
    timeout: probe.timeout ?? 10,
    interval: probe.interval ?? 15,
    ready_after: probe.ready_after ?? 1,
    until_ready: probe.until_ready ?? false,
  };
}
