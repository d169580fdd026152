import { listeningUrl } from './listening-url.js';

it.each([
  ['names the port the system chose', 'http://127.0.0.1:0', 'http://127.0.0.1:41525'],
  ['keeps the port that was asked for', 'http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ['keeps the URL the operator gave', 'https://dstack.example.com', 'https://dstack.example.com'],
])('%s', (_rule, configured, expected) => {
  expect(listeningUrl(configured, 41525)).toBe(expected);
});
