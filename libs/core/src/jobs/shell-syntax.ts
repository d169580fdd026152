/**
 * Whether a piece of shell text is whole, or goes on in the next piece: an open quote, a heredoc without its end, a trailing
 * operator or backslash. It reads as much of the grammar as that needs and judges nothing else.
 */
export function isCompleteShell(text: string): boolean {
  const scan = new ShellScan(text);
  return !scan.open && !endsInOperator(scan.code);
}

function endsInOperator(code: string): boolean {
  const tail = code.trimEnd();
  return (
    /(&&|\||\\)$/.test(tail) || /(^|[;\n])\s*(then|do|else)$/.test(tail) || /(^|\s)\{$/.test(tail) || /\($/.test(tail)
  );
}

/** Reads `text` once; `code` is what is left without comments and heredoc bodies, `open` tells of an unfinished quote or heredoc. */
class ShellScan {
  code = '';
  open = false;
  private at = 0;
  private readonly heredocs: { delimiter: string; stripTabs: boolean }[] = [];

  constructor(private readonly text: string) {
    while (this.at < text.length && !this.open) this.step();
    if (this.heredocs.length > 0) this.open = true;
  }

  private step(): void {
    const char = this.text.charAt(this.at);
    if (char === "'") return this.quoted("'");
    if (char === '"') return this.quoted('"');
    if (char === '\\') return this.take(2);
    if (char === '#' && /(^|[\s;&|()])$/.test(this.code)) return this.comment();
    if (char === '\n') return this.newline();
    if (this.text.startsWith('<<<', this.at)) return this.take(3);
    if (this.text.startsWith('<<', this.at) && this.heredoc()) return undefined;
    return this.take(1);
  }

  private take(count: number): void {
    this.code += this.text.slice(this.at, this.at + count);
    this.at += count;
  }

  private quoted(quote: "'" | '"'): void {
    let end = this.at + 1;
    while (end < this.text.length && this.text.charAt(end) !== quote) {
      end += quote === '"' && this.text.charAt(end) === '\\' ? 2 : 1;
    }
    if (end >= this.text.length) this.open = true;
    this.take(end + 1 - this.at);
  }

  private comment(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end === -1 ? this.text.length : end;
  }

  private heredoc(): boolean {
    const start = /^<<(-?)[ \t]*(['"]?)([A-Za-z_][\w.-]*)\2/.exec(this.text.slice(this.at));
    if (start === null) return false;
    this.heredocs.push({ delimiter: start[3] ?? '', stripTabs: start[1] === '-' });
    this.take(start[0].length);
    return true;
  }

  private newline(): void {
    this.take(1);
    while (this.heredocs.length > 0) {
      const next = this.heredocs[0];
      if (next === undefined || !this.skipHeredocBody(next)) return;
      this.heredocs.shift();
    }
  }

  private skipHeredocBody({ delimiter, stripTabs }: { delimiter: string; stripTabs: boolean }): boolean {
    while (this.at < this.text.length) {
      const end = this.text.indexOf('\n', this.at);
      const line = this.text.slice(this.at, end === -1 ? undefined : end);
      this.at = end === -1 ? this.text.length : end + 1;
      if ((stripTabs ? line.replace(/^\t+/, '') : line) === delimiter) return true;
    }
    return false;
  }
}
