/** Of fields of the log in spans: `job_id` is `dstack.job_id` there. */
export function spanNames(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`dstack.${name}`, value]));
}
