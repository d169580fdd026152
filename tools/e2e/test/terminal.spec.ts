import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliOptions, SMALL, Stack } from '../src/stack.js';
import type { Terminal } from '../src/terminal.js';

const POLICY = `export default {
  onRunApply({ spec }) {
    if (spec.configuration.max_price == null) throw new Error('runs need a max_price');
    return spec;
  },
};
`;

describe('somebody at a terminal', () => {
  const stack = new Stack();
  const open: Terminal[] = [];
  beforeAll(async () => {
    mkdirSync(stack.serverDir, { mode: 0o700 });
    writeFileSync(join(stack.serverDir, 'policy.mjs'), POLICY);
    writeFileSync(join(stack.serverDir, 'config.yml'), 'plugins: [./policy.mjs]\n', { mode: 0o600 });
    await stack.start();
  });
  afterAll(() => {
    for (const terminal of open) terminal.end();
    return stack.close();
  });

  const runs = (args: readonly string[], options?: CliOptions): Terminal => {
    const terminal = stack.onTerminal(args, options);
    open.push(terminal);
    return terminal;
  };
  /** What it shows by its end. */
  const shown = async (args: readonly string[], options?: CliOptions): Promise<{ text: string; code: number }> => {
    const terminal = runs(args, options);
    const code = await terminal.done;
    return { text: terminal.text, code };
  };
  const asked = async (args: readonly string[], question: string, answer: string) => {
    const terminal = runs(args);
    await terminal.shows(`${question} [y/n]: `);
    terminal.type(answer);
    expect(await terminal.done).toBe(0);
    return terminal.text;
  };
  const worksWith = async (token: string): Promise<boolean> => {
    const { code, text } = await shown(['ps'], { token });
    if (code !== 0) expect(text).toMatch(/token/i);
    return code === 0;
  };
  const tokenIn = (text: string): string => /^[\w-]{20,}$/m.exec(text)?.[0] ?? '';

  it('makes a token, works with it, and takes it back only when sure', async () => {
    const { text, code } = await shown(['token', 'create', 'laptop', '--expires', '30d']);
    expect(code).toBe(0);
    expect(text).toMatch(/It is not shown again\. It expires /);
    const token = tokenIn(text);
    expect(await worksWith(token)).toBe(true);
    const list = await shown(['token']);
    expect(list.text).toMatch(/NAME +CREATED +EXPIRES\s+laptop /);
    expect(list.text).not.toContain(token);

    const question = 'Delete the token laptop?';
    expect(await asked(['token', 'delete', 'laptop'], question, 'n')).toContain('Nothing was deleted.');
    expect(await worksWith(token)).toBe(true);
    expect(await asked(['token', 'delete', 'laptop'], question, 'y')).toMatch(/\nOK\n/);
    expect(await worksWith(token)).toBe(false);
    expect((await shown(['token'])).text).not.toContain('laptop');
  });

  it('makes a program that works here, and deletes it with its tokens', async () => {
    const created = await shown(['service-account', 'create', 'builder']);
    expect([created.code, created.text]).toEqual([0, expect.stringContaining('builder is user of project main.')]);
    const token = tokenIn((await shown(['token', 'create', 'ci', '--user', 'builder'])).text);
    expect(await worksWith(token)).toBe(true);
    expect((await shown(['service-account'])).text).toContain('builder');
    // It is no admin.
    const refused = await shown(['service-account', 'create', 'another'], { token });
    expect([refused.code, refused.text]).toEqual([expect.any(Number), expect.not.stringContaining('another is user')]);
    expect(refused.code).not.toBe(0);

    const question = 'Delete the service account builder and its tokens?';
    expect(await asked(['service-account', 'delete', 'builder'], question, 'y')).toMatch(/\nOK\n/);
    expect(await worksWith(token)).toBe(false);
  });

  it('gives the server a public key, and takes it back', async () => {
    const file = join(stack.home, '.ssh', 'id_ed25519');
    mkdirSync(join(stack.home, '.ssh'), { mode: 0o700 });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ann at her desk', '-f', file]);
    const fingerprint = execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1] ?? '';
    const added = await shown(['ssh-key', 'add']);
    expect([added.code, added.text]).toEqual([0, expect.stringContaining(`Added ann at her desk (${fingerprint})`)]);
    // The private half is no way to say another one.
    const again = await shown(['ssh-key', 'add', file, '--name', 'twice']);
    expect([again.code === 0, again.text]).toEqual([false, expect.stringContaining('This key is already added')]);
    expect((await shown(['ssh-key'])).text).toMatch(/NAME +TYPE +FINGERPRINT +ADDED\s+ann at her desk +ssh-ed25519 /);
    const question = `Delete the key ann at her desk (${fingerprint})?`;
    expect(await asked(['ssh-key', 'delete', fingerprint], question, 'y')).toMatch(/\nOK\n/);
    expect((await shown(['ssh-key'])).text).not.toContain('ann at her desk');
  });

  it('sees why a policy refuses, and is asked nothing', async () => {
    const text = (more: string): string => `type: task\nname: priced\ncommands: ["true"]\n${more}\n${SMALL}\n`;
    const refused = await shown(['apply', '-f', stack.file('priced', text(''))]);
    expect(refused.text).toContain('rejected by policy ./policy.mjs: runs need a max_price');
    expect(refused.text).not.toContain('[y/n]');
    expect(refused.code).not.toBe(0);
    const terminal = runs(['apply', '-f', stack.file('priced', text('max_price: 1'))]);
    await terminal.shows('[y/n]: ');
    terminal.type('n');
    await terminal.done;
  });
});
