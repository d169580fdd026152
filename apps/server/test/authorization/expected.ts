export const EXPECTED: Record<string, string[]> = {};
