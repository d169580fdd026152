import { type ConfigurationIssue, type IssuePath, semanticIssue } from '../issue.js';

/** Each node is a row and a job; a typing error must not make millions of them. */
const maxNodes = 1000;

/** What one configuration asks for at once; upper ends of ranges are not asked for. */
export function checkNodeLimit(path: IssuePath, nodes: number, what: string): ConfigurationIssue[] {
  return nodes <= maxNodes ? [] : [semanticIssue(path, `asks for ${nodes} ${what}, at most ${maxNodes} are possible`)];
}
