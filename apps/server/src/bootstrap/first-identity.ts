import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { ProjectStore } from '../projects/project-store.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { UserStore } from '../users/user-store.js';

/** The user `admin` and the project `main`, without which nobody could come in. */
@Injectable()
export class FirstIdentity {
  constructor(
    private readonly db: Database,
    private readonly users: UserStore,
    private readonly projects: ProjectStore,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'adminToken'>,
  ) {}

  /** Returns the admin's token. A token given in the environment counts when the admin is created, and only then. */
  async ensure(): Promise<string> {
    return this.db.writeDurable(async (tx) => {
      // Replicas starting together: the second one waits here and then finds both.
      if (tx.dialect === 'postgres') await tx.query('LOCK TABLE installation IN EXCLUSIVE MODE');
      const { adminToken: token } = this.settings;
      const admin =
        (await this.users.find(tx, 'admin')) ??
        (await this.users.create(tx, {
          name: 'admin',
          globalRole: 'admin',
          email: null,
          active: true,
          createdBy: null,
          ...(token === undefined ? {} : { token }),
        }));
      if ((await tx.query(`SELECT id FROM projects LIMIT 1`)).length === 0)
        await this.projects.create(tx, {
          name: 'main',
          ownerId: admin.id,
          isPublic: false,
          templatesRepo: null,
          createdBy: null,
        });
      return (await this.users.creds(tx, admin.id)).token;
    });
  }
}
