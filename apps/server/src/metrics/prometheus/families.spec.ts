import { exposition } from './exposition.js';
import { instanceFamilies, type JobFacts, jobFamilies, runFamilies } from './families.js';

const labels = { dstack_project_name: 'main' };
const job: JobFacts = {
  labels,
  since: 1_000,
  price: 1.5,
  cpus: 4,
  memoryBytes: 1024,
  gpuMemoryBytes: [80, 80],
  point: {
    timestampMicro: 1,
    cpuUsageMicros: 2_500_000,
    memoryUsageBytes: 100,
    memoryWorkingSetBytes: 60,
    gpus: [
      { memoryUsageBytes: 7, utilPercent: 93 },
      { memoryUsageBytes: 8, utilPercent: 0 },
    ],
  },
};
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('what Prometheus is told', () => {
  it('of instances', () => {
    const text = exposition(instanceFamilies([{ labels, since: 500, price: 16, gpuCount: 8 }], 2_000));
    expect(text).toBe(`# HELP dstack_instance_duration_seconds_total Seconds that the instance has been there
# TYPE dstack_instance_duration_seconds_total counter
dstack_instance_duration_seconds_total{dstack_project_name="main"} 1.5
# HELP dstack_instance_price_dollars_per_hour Price of the instance, USD/hour
# TYPE dstack_instance_price_dollars_per_hour gauge
dstack_instance_price_dollars_per_hour{dstack_project_name="main"} 16
# HELP dstack_instance_gpu_count GPUs of the instance
# TYPE dstack_instance_gpu_count gauge
dstack_instance_gpu_count{dstack_project_name="main"} 8
`);
  });

  it('of runs', () => {
    const counts = [{ labels, total: 6, terminated: 1, failed: 2, done: 3 }];
    expect(lines(exposition(runFamilies(counts)))).toEqual([
      'dstack_run_count_total{dstack_project_name="main"} 6',
      'dstack_run_count_terminated_total{dstack_project_name="main"} 1',
      'dstack_run_count_failed_total{dstack_project_name="main"} 2',
      'dstack_run_count_done_total{dstack_project_name="main"} 3',
    ]);
  });

  it('of jobs, each GPU by its number', () => {
    expect(lines(exposition(jobFamilies([job], 3_000)))).toEqual([
      'dstack_job_duration_seconds_total{dstack_project_name="main"} 2',
      'dstack_job_price_dollars_per_hour{dstack_project_name="main"} 1.5',
      'dstack_job_gpu_count{dstack_project_name="main"} 2',
      'dstack_job_cpu_count{dstack_project_name="main"} 4',
      'dstack_job_cpu_time_seconds_total{dstack_project_name="main"} 2.5',
      'dstack_job_memory_total_bytes{dstack_project_name="main"} 1024',
      'dstack_job_memory_usage_bytes{dstack_project_name="main"} 100',
      'dstack_job_memory_working_set_bytes{dstack_project_name="main"} 60',
      'dstack_job_gpu_usage_ratio{dstack_project_name="main",dstack_gpu_num="0"} 0.93',
      'dstack_job_gpu_usage_ratio{dstack_project_name="main",dstack_gpu_num="1"} 0',
      'dstack_job_gpu_memory_total_bytes{dstack_project_name="main",dstack_gpu_num="0"} 80',
      'dstack_job_gpu_memory_total_bytes{dstack_project_name="main",dstack_gpu_num="1"} 80',
      'dstack_job_gpu_memory_usage_bytes{dstack_project_name="main",dstack_gpu_num="0"} 7',
      'dstack_job_gpu_memory_usage_bytes{dstack_project_name="main",dstack_gpu_num="1"} 8',
    ]);
  });

  it('of a job that nobody has measured yet, only what is sure', () => {
    const text = exposition(jobFamilies([{ ...job, gpuMemoryBytes: [], point: undefined }], 3_000));
    expect(lines(text)).toHaveLength(5);
    expect(text).not.toContain('usage');
  });

  it('never breaks a line on a label', () => {
    const odd = { labels: { name: 'a"b\\c\nd' }, since: 0, price: 0, gpuCount: 0 };
    expect(exposition(instanceFamilies([odd], 0))).toContain('{name="a\\"b\\\\c\\nd"} 0\n');
  });

  it('is nothing when there is nothing', () => {
    expect(exposition([...instanceFamilies([], 0), ...runFamilies([]), ...jobFamilies([], 0)])).toBe('');
  });
});
