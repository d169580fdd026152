import { type ChildProcess, spawn } from 'node:child_process';
import { until } from './until.js';

/** A program on a terminal of its own (util-linux's `script`), and somebody who types. */
export class Terminal {
  private shown = '';
  private readonly child: ChildProcess;
  /** Its exit code. */
  readonly done: Promise<number>;

  constructor(
    words: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
  ) {
    const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    this.child = spawn('script', ['-qefc', command, '/dev/null'], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.shown += text));
    this.done = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => resolve(code ?? -1));
    });
  }

  /** All of it so far, without colours and other orders to the terminal. */
  get text(): string {
    return this.shown.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, '').replaceAll('\r', ''); // eslint-disable-line no-control-regex -- what terminals are told begins with one
  }

  async shows(expected: RegExp | string): Promise<void> {
    await until(`the terminal to show ${String(expected)}`, () =>
      Promise.resolve(typeof expected === 'string' ? this.text.includes(expected) : expected.test(this.text)),
    ).catch((error: unknown) => {
      throw new Error(`it shows:\n${this.text}`, { cause: error });
    });
  }

  /** And the key that ends a line. */
  type(text: string): void {
    this.child.stdin?.write(`${text}\r`);
  }

  end(): void {
    this.child.kill('SIGKILL');
  }
}
