import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

const IGNORE_FILES = ['.gitignore', '.ignore', '.dstackignore'];

/** The rules of one directory, for paths below it. */
interface Layer {
  readonly directory: string;
  readonly rules: Ignore;
}

/** Ignore files from the file system's root down to a directory; deeper ones decide. */
export class IgnoreRules {
  private constructor(private readonly layers: readonly Layer[]) {}

  /** Rules in force in `directory`, those of its parents included. */
  static async of(directory: string, home: string): Promise<IgnoreRules> {
    const globalRules = await readRules([join(home, '.config', 'git', 'ignore')]);
    let rules = new IgnoreRules(globalRules ? [{ directory: rootOf(directory), rules: globalRules }] : []);
    for (const each of ancestors(directory)) rules = await rules.enter(each);
    return rules.enter(directory);
  }

  /** The rules with those of a directory below added. */
  async enter(directory: string): Promise<IgnoreRules> {
    const rules = await readRules(IGNORE_FILES.map((name) => join(directory, name)));
    return rules ? new IgnoreRules([...this.layers, { directory, rules }]) : this;
  }

  ignores(path: string, isDirectory: boolean): boolean {
    let ignored = false;
    for (const layer of this.layers) {
      const inside = relative(layer.directory, path).split(sep).join('/');
      const verdict = layer.rules.test(isDirectory ? `${inside}/` : inside);
      if (verdict.ignored) ignored = true;
      else if (verdict.unignored) ignored = false;
    }
    return ignored;
  }
}

async function readRules(files: readonly string[]): Promise<Ignore | undefined> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => undefined)));
  const found = texts.filter((text) => text !== undefined);
  return found.length === 0 ? undefined : ignore().add(found.join('\n'));
}

function ancestors(directory: string): string[] {
  const result: string[] = [];
  for (let at = dirname(directory); ; at = dirname(at)) {
    result.unshift(at);
    if (at === dirname(at)) return result;
  }
}

function rootOf(directory: string): string {
  return ancestors(directory)[0] ?? sep;
}
