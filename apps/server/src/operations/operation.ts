import type { ServerSettings } from '../settings/settings.js';
import type { World } from '../world/world.js';

/** What every operation on a server's data works with. */
export interface OperationContext {
  readonly settings: ServerSettings;
  readonly world: World;
  /** One line for the operator. */
  readonly print: (line: string) => void;
}
