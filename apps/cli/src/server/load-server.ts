import { CliError } from '../errors/cli-error.js';

export interface ServerModule {
  /** Serves; or does what the first word says and ends. */
  main(argv?: readonly string[]): Promise<void>;
  describeStartError?(error: unknown): string;
}

/** In a variable: the server is an optional peer that need not be installed where this is compiled. */
const SERVER_MODULE = '@dstack/server/main';

/** @throws {CliError} when it is not installed */
export async function loadServer(): Promise<ServerModule> {
  try {
    // The peer's public entry point; its shape is our agreement with it.
    return (await import(SERVER_MODULE)) as ServerModule;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const ours = error instanceof Error && error.message.includes('@dstack/server');
    if (ours && (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'))
      throw new CliError('The server is not installed.', {
        hint: 'Install it: npm install -g @dstack/server (in the checkout: npm run build)',
        cause: error,
      });
    throw error;
  }
}

/** One operation of the server's program, in this process: `dstack server backup` and the like. */
export async function runServerOperation(argv: readonly string[]): Promise<void> {
  const server = await loadServer();
  try {
    await server.main(argv);
  } catch (error) {
    const message = server.describeStartError?.(error) ?? (error instanceof Error ? error.message : String(error));
    throw new CliError(message, { cause: error });
  }
}
