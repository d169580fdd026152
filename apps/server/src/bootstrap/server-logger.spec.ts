import { jest } from '@jest/globals';
import { ServerLogger } from './server-logger.js';

it('writes times that sort, whatever the language of the machine', () => {
  const written: string[] = [];
  const stdout = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  try {
    new ServerLogger({ logLevel: 'INFO', logFormat: 'standard' }).log('here', 'Server');
  } finally {
    stdout.mockRestore();
  }
  expect(written.join('')).toMatch(/ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z +LOG \[Server\] here\n$/);
});
