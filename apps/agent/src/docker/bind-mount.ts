export interface BindMount {
  readonly hostPath: string;
  readonly path: string;
}
