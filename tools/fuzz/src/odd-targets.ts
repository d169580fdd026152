/** What a request line may ask for, and no well-made client does. */
export const ODD_TARGETS: readonly string[] = [
  ...['/', '//', '///x', '*', 'x', '/%', '/%00', '/%ff%fe', '//[', 'http://', 'http://[::1', 'http://x/v1/info'],
  ...['/v1/../v1/info', '/v1//info', '/v1/info?', '/v1/info#x', '/v1/info?stream=%', '/v1/jobs/%2e%2e/x'],
  ...[
    '/logs_ws',
    '/logs_ws?start_time=',
    '/logs_ws?start_time=x',
    '/logs_ws?start_time=9e99',
    '/logs_ws/',
    '//logs_ws',
  ],
  ...['/logs_ws?start_time=2026-01-01T00:00:00+00:00', '/api/healthcheck', '/api/healthcheck?%', '/\\', '/\u00ff'],
  `/${'a'.repeat(10_000)}`,
];
