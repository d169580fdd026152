import { readFileSync } from 'node:fs';
import { isFinishedJob, isFinishedRun, JOB_ENDINGS, RUN_ENDINGS } from './endings.js';
import { JOB_STATUSES, RUN_STATUSES } from './enums.js';

const { mappings } = JSON.parse(
  readFileSync(new URL('../../../../tools/contract/data/enums.json', import.meta.url), 'utf8'),
) as { mappings: Record<string, Record<string, unknown>> };

it.each(Object.entries(RUN_ENDINGS))('run reason %s ends as the contract says', (reason, ending) => {
  expect(mappings['run_termination_reason']?.[reason]).toEqual({
    run_status: ending.status,
    job_termination_reason: ending.jobReason,
    error: ending.error,
  });
});

it.each(Object.entries(JOB_ENDINGS))('job reason %s ends as the contract says', (reason, ending) => {
  expect(mappings['job_termination_reason']?.[reason]).toMatchObject({
    job_status: ending.status,
    retry_event: ending.retryEvent,
    error: ending.error,
  });
});

it('knows the finished statuses', () => {
  const finished = mappings['finished_statuses'];
  expect(RUN_STATUSES.filter(isFinishedRun)).toEqual(finished?.['RunStatus']);
  expect(JOB_STATUSES.filter(isFinishedJob)).toEqual(finished?.['JobStatus']);
});
