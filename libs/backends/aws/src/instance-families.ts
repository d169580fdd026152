/** What is offered of AWS's several hundred types: current families that the images fit; others by `experimental_instance_types`. */
const FAMILIES: readonly string[] = [
  ...['m7i', 'c7i', 'r7i', 't3', 'c5', 'm5'],
  ...['p6-b300', 'p6-b200', 'p5', 'p5e', 'p5en', 'p4d', 'p4de'],
  ...['g7', 'g7e', 'g6', 'g6e', 'gr6', 'g5', 'g4dn'],
];

export function isOffered(type: string, experimental: readonly string[]): boolean {
  return type === 't2.small' || FAMILIES.includes(type.split('.')[0] ?? '') || experimental.includes(type);
}
