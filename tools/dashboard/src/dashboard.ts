import {
  type Dashboard,
  DashboardBuilder,
  QueryVariableBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { linesPanel, numberPanel, PROMETHEUS } from './panels.js';

const OF = '{dstack_project_name=~"$project"}';

/** A server, as its metrics tell of it. That they have the names which are asked for here, the server's own tests hold against a scrape. */
export function dashboard(): Dashboard {
  return new DashboardBuilder('dstack')
    .uid('dstack')
    .version(1)
    .tags(['dstack'])
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .annotations([])
    .withVariable(
      new QueryVariableBuilder('project')
        .label('Project')
        .datasource(PROMETHEUS)
        .query({ query: 'label_values(dstack_run_count_total, dstack_project_name)', refId: 'projects' })
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .includeAll(true)
        .multi(true)
        .allValue('.*')
        .current({ text: 'All', value: '$__all' }),
    )
    .withPanel(
      numberPanel({ id: 1, title: 'Machines' }, `count(dstack_instance_price_dollars_per_hour${OF}) or vector(0)`),
    )
    .withPanel(numberPanel({ id: 2, title: 'GPUs' }, `sum(dstack_instance_gpu_count${OF}) or vector(0)`))
    .withPanel(
      numberPanel(
        { id: 3, title: 'Price per hour', unit: 'currencyUSD' },
        `sum(dstack_instance_price_dollars_per_hour${OF}) or vector(0)`,
      ),
    )
    .withPanel(
      numberPanel({ id: 4, title: 'Running jobs' }, `count(dstack_job_price_dollars_per_hour${OF}) or vector(0)`),
    )
    .withPanel(
      linesPanel(
        { id: 5, title: 'Price per hour, by backend', unit: 'currencyUSD' },
        { '{{dstack_backend}}': `sum by (dstack_backend) (dstack_instance_price_dollars_per_hour${OF})` },
      ),
    )
    .withPanel(
      linesPanel(
        { id: 6, title: 'Price per hour, by user', unit: 'currencyUSD' },
        { '{{dstack_user_name}}': `sum by (dstack_user_name) (dstack_job_price_dollars_per_hour${OF})` },
      ),
    )
    .withPanel(
      linesPanel(
        { id: 7, title: 'Runs that ended, per hour' },
        {
          done: `sum(increase(dstack_run_count_done_total${OF}[1h]))`,
          failed: `sum(increase(dstack_run_count_failed_total${OF}[1h]))`,
          terminated: `sum(increase(dstack_run_count_terminated_total${OF}[1h]))`,
        },
      ),
    )
    .withPanel(
      linesPanel(
        { id: 8, title: 'GPUs in use', unit: 'percentunit' },
        { '{{dstack_run_name}}': `avg by (dstack_run_name) (dstack_job_gpu_usage_ratio${OF})` },
      ),
    )
    .withPanel(
      linesPanel(
        { id: 9, title: 'CPU seconds per second' },
        { '{{dstack_run_name}}': `sum by (dstack_run_name) (rate(dstack_job_cpu_time_seconds_total${OF}[2m]))` },
      ),
    )
    .withPanel(
      linesPanel(
        { id: 10, title: 'Memory', unit: 'bytes' },
        { '{{dstack_run_name}}': `sum by (dstack_run_name) (dstack_job_memory_working_set_bytes${OF})` },
      ),
    )
    .build();
}
