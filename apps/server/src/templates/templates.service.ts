import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { ClientError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { WORLD, type World } from '../world/world.js';
import { parseTemplate } from './parse-template.js';
import { cloneUrl, fetchTemplateFiles, GitError } from './template-repo.js';

/** So long what was read is good enough, as in dstack 0.21. */
const FRESH_MS = 180_000;

interface Read {
  readonly at: number;
  readonly templates: Promise<Wire.UITemplate[]>;
}

/** Templates of the project's repo, or of the server's where it has none. */
@Injectable()
export class TemplatesService {
  private readonly log = new Logger('Templates');
  private readonly read = new Map<string, Read>();

  constructor(
    private readonly db: Database,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'serverDir' | 'templatesRepo'>,
    @Inject(WORLD) private readonly world: Pick<World, 'clock'>,
  ) {}

  async list(scope: ProjectScope): Promise<Wire.UITemplate[]> {
    const [project] = await this.db.read((tx) =>
      tx.query<{ templates_repo: string | null }>('SELECT templates_repo FROM projects WHERE id = ?', [
        scope.projectId,
      ]),
    );
    const url = project?.templates_repo ?? this.settings.templatesRepo;
    if (url === undefined) return [];
    const now = this.world.clock.now();
    const known = this.read.get(url);
    if (known !== undefined && now - known.at < FRESH_MS) return known.templates;
    const templates = this.load(url);
    this.read.set(url, { at: now, templates });
    templates.catch(() => this.read.delete(url));
    return templates;
  }

  private async load(url: string): Promise<Wire.UITemplate[]> {
    try {
      const files = await fetchTemplateFiles(cloneUrl(url), this.settings.serverDir);
      return files.flatMap(({ name, text }) => {
        const parsed = parseTemplate(text);
        if ('problem' in parsed) this.log.warn(`Template ${name} is left out: ${parsed.problem}`);
        return 'template' in parsed ? [parsed.template] : [];
      });
    } catch (error) {
      if (error instanceof GitError) throw new ClientError(`The templates cannot be read: ${error.message}`);
      throw error;
    }
  }
}
