import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Wire } from '@dstack/core';
import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';
import { readPublicKey } from '../../ssh/read-public-key.js';

export default class SshKeyAdd extends ProjectCommand {
  static override summary = 'Tell the server a public SSH key of yours: it opens your jobs through an SSH proxy';
  static override enableJsonFlag = true;
  static override examples = ['dstack ssh-key add', 'dstack ssh-key add ~/.ssh/work.pub --name work'];
  static override args = {
    file: Args.string({ description: 'The public key; the first of ~/.ssh/id_*.pub when absent' }),
  };
  static override flags = {
    ...jsonFlag,
    name: Flags.string({ summary: "What it is called; the key's comment when absent", helpValue: 'NAME' }),
  };

  async run(): Promise<Wire.PublicKeyInfo> {
    const { args, flags } = await this.parse(SshKeyAdd);
    const { publicKey, file } = await readPublicKey(args.file, this.context);
    const client = await this.connect(flags);
    const added = await client.users.addPublicKey({
      key: publicKey,
      ...(flags.name === undefined ? {} : { name: flags.name }),
    });
    this.print(`Added ${added.name} (${added.fingerprint}) of ${file}.`);
    return added;
  }
}
