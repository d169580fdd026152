import { Inject, Injectable } from '@nestjs/common';
import { WORLD, type World } from '../world/world.js';

/** Names this life of this server in leases; another start is another holder. */
@Injectable()
export class ServerIdentity {
  readonly holder: string;

  constructor(@Inject(WORLD) world: World) {
    this.holder = world.ids.uuid();
  }
}
