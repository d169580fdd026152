import { randomKey } from '../http/random-key.js';
import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import { RunHandle } from '../runs/run-handle.js';
import type { Logs } from './logs.js';
import type { ProjectCalls } from './project-call.js';

export interface PlanOptions extends CallOptions {
  readonly maxOffers?: number | undefined;
  readonly fullOffers?: boolean | undefined;
  readonly unallocated?: boolean | undefined;
  readonly forOffersOnly?: boolean | undefined;
}

export interface SubmitOptions extends CallOptions {
  /** Apply although the run changed since the plan was made. */
  readonly force?: boolean | undefined;
  /** Makes a repeat of this submission safe; made up when absent. */
  readonly idempotencyKey?: string | undefined;
}

/** What is submitted: the specification, and the run it was planned against (echoed as the server sent it). */
export interface PlannedRun {
  readonly run_spec: Wire.RunSpecInput;
  readonly current_resource?: Wire.Run | null;
}

export type RunConfiguration = Wire.RunSpecInput['configuration'];

const LIST_LIMIT = 100;

export class Runs {
  constructor(
    private readonly project: ProjectCalls,
    private readonly logs: Logs,
  ) {}

  /** A handle; asks nothing yet. */
  handle(name: string): RunHandle {
    return new RunHandle(this, this.logs, name);
  }

  get(name: string, options?: CallOptions): Promise<Wire.Run> {
    return this.project.read('runs/get', { run_name: name } satisfies Wire.GetRunRequest, options);
  }

  getById(id: string, options?: CallOptions): Promise<Wire.Run> {
    return this.project.read('runs/get', { id } satisfies Wire.GetRunRequest, options);
  }

  /** One page of the project's runs, newest first. */
  list(request: Wire.ListRunsRequest = {}, options: CallOptions = {}): Promise<Wire.Run[]> {
    const body: Wire.ListRunsRequest = { project_name: this.project.name, job_submissions_limit: 1, ...request };
    return this.project.transport.json({ path: '/api/runs/list', body, repeatable: 'read', ...options });
  }

  /** All runs, page by page. */
  async *all(request: Wire.ListRunsRequest = {}, options: CallOptions = {}): AsyncIterable<Wire.Run> {
    const limit = request.limit ?? LIST_LIMIT;
    let last: Wire.Run | undefined;
    for (;;) {
      const from = last ? { prev_submitted_at: last.submitted_at, prev_run_id: last.id } : {};
      const page = await this.list({ ...request, ...from, limit }, options);
      yield* page;
      last = page.at(-1);
      if (page.length < limit || !last) return;
    }
  }

  /** What would happen: offers, prices, and how it relates to a run of the same name. Changes nothing. */
  plan(runSpec: Wire.RunSpecInput, options: PlanOptions = {}): Promise<Wire.RunPlan> {
    const { maxOffers, fullOffers, unallocated, forOffersOnly, ...call } = options;
    const body: Wire.GetRunPlanRequest = {
      run_spec: runSpec,
      max_offers: maxOffers ?? null,
      full_offers: fullOffers ?? false,
      unallocated_resources: unallocated ?? false,
      for_offers_only: forOffersOnly ?? false,
    };
    return this.project.read('runs/get_plan', body, call);
  }

  /** Submits or updates as planned. A lost reply is asked for again under the same key, so nothing runs twice. */
  async submit(plan: PlannedRun, options: SubmitOptions = {}): Promise<Wire.Run> {
    const { force, idempotencyKey, ...call } = options;
    return this.project.transport.json({
      path: this.project.path('runs/apply'),
      body: { plan, force: force ?? false },
      headers: { 'X-Idempotency-Key': idempotencyKey ?? (await randomKey()) },
      // A key the caller chose is a promise that the server knows it; with ours, only what was never sent is repeated.
      repeatable: idempotencyKey === undefined ? 'write' : 'keyed-write',
      ...call,
    });
  }

  /** Plans and submits a configuration in one go. */
  async apply(configuration: RunConfiguration, options: SubmitOptions = {}): Promise<RunHandle> {
    const spec: Wire.RunSpecInput = { configuration, ...(configuration.name ? { run_name: configuration.name } : {}) };
    const plan = await this.plan(spec, { signal: options.signal, timeoutMs: options.timeoutMs });
    const run = await this.submit({ run_spec: spec, current_resource: plan.current_resource ?? null }, options);
    return this.handle(run.run_spec.run_name ?? '');
  }

  async stop(names: readonly string[], options: CallOptions & { abort?: boolean } = {}): Promise<void> {
    const { abort, ...call } = options;
    const body: Wire.StopRunsRequest = { runs_names: [...names], abort: abort ?? false };
    // Stopping what is stopping already changes nothing.
    await this.project.transport.json({
      path: this.project.path('runs/stop'),
      body,
      repeatable: 'keyed-write',
      ...call,
    });
  }

  async delete(names: readonly string[], options?: CallOptions): Promise<void> {
    await this.project.write('runs/delete', { runs_names: [...names] } satisfies Wire.DeleteRunsRequest, options);
  }
}
