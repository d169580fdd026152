import type { Style } from '../terminal/style.js';
import { renderTable } from '../terminal/table.js';

interface ProjectRow {
  readonly name: string;
  readonly url: string;
  readonly default: boolean;
  readonly user: string | null;
  readonly problem: string | null;
}

export function projectsTable(
  projects: readonly ProjectRow[],
  options: { style: Style; width: number; verbose: boolean },
): string {
  if (projects.length === 0) return '';
  const { style, verbose } = options;
  return renderTable(
    [
      { title: 'PROJECT' },
      { title: 'URL', shrinkTo: 16 },
      ...(verbose ? [{ title: 'USER', shrinkTo: 10 }] : []),
      { title: 'DEFAULT' },
    ],
    projects.map((project) => [
      { text: project.name, paint: style.bold },
      { text: project.url, paint: style.secondary },
      ...(verbose
        ? [project.problem === null ? (project.user ?? '') : { text: `(${project.problem})`, paint: style.error }]
        : []),
      { text: project.default ? '✓' : '', paint: style.success },
    ]),
    { width: options.width },
  );
}
