import { parseModelPath } from './model-path.js';

it.each([
  ['/models', 'main models'],
  ['/v1/models?x=1', 'main models'],
  ['/chat/completions', 'main chat/completions'],
  ['/other/chat/completions', 'other chat/completions'],
  ['/other/v1/embeddings', 'other embeddings'],
  ['/completions/', 'none'],
  ['/a/b/models', 'none'],
  ['/../models', 'none'],
])('%s', (target, expected) => {
  const path = parseModelPath(target, 'main');
  expect(path === null ? 'none' : `${path.project} ${path.call}`).toBe(expected);
});
