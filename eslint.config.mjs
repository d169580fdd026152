import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Allowed imports between packages, by tag. Nothing imports an app; tools may import everything. */
const boundaries = [
  { sourceTag: 'pkg:core', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'pkg:agent-protocol', onlyDependOnLibsWithTags: ['pkg:core'] },
  { sourceTag: 'pkg:gateway-protocol', onlyDependOnLibsWithTags: ['pkg:core'] },
  { sourceTag: 'pkg:catalog', onlyDependOnLibsWithTags: ['pkg:core'] },
  { sourceTag: 'pkg:sdk', onlyDependOnLibsWithTags: ['pkg:core'] },
  { sourceTag: 'pkg:proxy', onlyDependOnLibsWithTags: ['pkg:core'] },
  { sourceTag: 'pkg:backend-base', onlyDependOnLibsWithTags: ['pkg:core', 'pkg:catalog'] },
  {
    sourceTag: 'type:backend',
    onlyDependOnLibsWithTags: [
      'pkg:backend-base',
      'pkg:core',
      'pkg:catalog',
      'pkg:ssh',
      'pkg:agent-protocol',
      'type:test-support',
    ],
  },
  { sourceTag: 'pkg:server', onlyDependOnLibsWithTags: ['type:lib', 'type:backend', 'type:test-support'] },
  // Their tests only: what is published may not depend on a private package (the packing test would fail).
  { sourceTag: 'type:test-support', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'pkg:agent', onlyDependOnLibsWithTags: ['pkg:core', 'pkg:agent-protocol'] },
  {
    sourceTag: 'pkg:gateway',
    onlyDependOnLibsWithTags: ['pkg:core', 'pkg:gateway-protocol', 'pkg:proxy', 'pkg:ssh', 'type:test-support'],
  },
  { sourceTag: 'pkg:cli', onlyDependOnLibsWithTags: ['pkg:core', 'pkg:sdk'] },
  { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['*'] },
];

/** One file is read with its package alone; all of them in one program, which reads what packages share once instead of once for each. */
const program =
  process.env.DSTACK_LINT === 'whole' ? { project: './tools/ci/tsconfig.lint.json' } : { projectService: true };

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/coverage/**',
      '**/generated/**',
      '**/*.mjs',
      '**/*.cjs',
      '**/*.js',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx, 'import-x': importX },
    languageOptions: { parserOptions: { ...program, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: [], depConstraints: boundaries },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-shadow': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-ignore': true, 'ts-expect-error': 'allow-with-description' },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'import-x/no-cycle': 'off',
    },
  },
  {
    files: ['libs/core/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate'],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is passed in.' },
        { object: 'Date', property: 'now', message: 'Time is passed in.' },
      ],
    },
  },
  { files: ['**/*.spec.ts', '**/test/**/*.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
);
