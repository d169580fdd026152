/** A project as the target of an event. */
export function projectTarget(
  id: string,
  name: string,
): { type: 'project'; id: string; name: string; projectId: string } {
  return { type: 'project', id, name, projectId: id };
}
