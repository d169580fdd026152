import { type ConfigurationIssue, type IssuePath, schemaIssue } from '../issue.js';

interface ImageSources {
  readonly image?: string | null;
  readonly python?: string | null;
  readonly docker?: boolean | null;
  readonly nvcc?: boolean | null;
}

/** Where the container's image comes from is said once. */
export function checkImageSources(from: ImageSources, at: IssuePath = []): ConfigurationIssue[] {
  const has = (value: unknown): boolean => value !== null && value !== undefined;
  const issues: ConfigurationIssue[] = [];
  const exclusive = (a: keyof ImageSources, b: string): void => {
    issues.push(schemaIssue([...at, a], `${a} and ${b} are mutually exclusive`));
  };
  if (has(from.image) && has(from.python)) exclusive('python', 'image');
  if (from.docker === true) {
    if (has(from.image)) exclusive('image', 'docker');
    if (has(from.python)) exclusive('python', 'docker');
    if (has(from.nvcc)) exclusive('nvcc', 'docker');
  }
  return issues;
}
