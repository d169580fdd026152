export interface GpuUsage {
  readonly memoryUsageBytes: number;
  readonly utilPercent: number;
}
