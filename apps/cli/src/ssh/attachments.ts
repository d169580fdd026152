import type { Dstack, Wire } from '@dstack/sdk';
import type { ForwardedPort } from '../render/client-url.js';
import type { CliContext } from '../terminal/context.js';
import { type Attachment, type AttachOptions, openAttachment } from './open-attachment.js';

/** The one attachment to a run, made anew for each attempt of its job. */
export class Attachments {
  private current: Attachment | undefined;

  constructor(
    private readonly client: Dstack,
    private readonly context: CliContext,
    private readonly options: AttachOptions,
    private readonly say: (text: string) => void,
  ) {}

  get ports(): readonly ForwardedPort[] {
    return this.current?.ports ?? [];
  }

  async open(run: Wire.Run): Promise<void> {
    await this.close();
    this.current = await openAttachment(this.client, this.context, run, this.options);
    if (this.current) this.say(this.current.text);
  }

  async close(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.close();
  }
}

/** Tells on stderr that the connection to the job broke, or is there again. */
export function tunnelNotes(name: string): (state: 'lost' | 'back') => void {
  return (state) =>
    void process.stderr.write(
      state === 'lost'
        ? `The connection to ${name} is lost; trying again until you detach. The run goes on.\n`
        : `Connected to ${name} again.\n`,
    );
}
