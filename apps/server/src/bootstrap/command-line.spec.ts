import { parseCommandLine } from './command-line.js';

it.each([
  [['--port=80', '--host=::'], { port: 80, host: '::' }],
  [['--log-level', 'debug'], { logLevel: 'DEBUG' }],
  [['--yes'], { configureClient: 'always' }],
  [['--config-client', '--no'], {}],
])('%j', (argv, flags) => {
  expect(parseCommandLine(argv)).toEqual({ help: false, flags });
});

it.each([
  [['--port=abc'], '--port must be a number from 0 to 65535, not "abc".'],
  [['--port='], '--port must be a number from 0 to 65535, not "".'],
  [['--port=65536'], '--port must be a number from 0 to 65535, not "65536".'],
  [['--log-level=loud'], '--log-level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not "loud".'],
  [['--hots=x'], /Unknown option '--hots'/],
])('%j is refused', (argv, message) => {
  expect(() => parseCommandLine(argv)).toThrow(message);
});
