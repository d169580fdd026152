/** Why an ssh client gave up, where trying again is of no use; else undefined. `words` is what it printed. Pure. */
export function tunnelProblem(words: string, alias: string): { message: string; hint: string } | undefined {
  const port = /bind \[.*\]:(\d+): Address already in use/.exec(words)?.[1];
  if (port !== undefined)
    return {
      message: `Port ${port} is already in use.`,
      hint: `Use another: -p ${Number(port) + 1}:REMOTE, or -p *:REMOTE for any free one.`,
    };
  const denied = /^(\S+): Permission denied \((.*)\)/m.exec(words);
  if (denied)
    return {
      message: `${denied[1]} does not accept the SSH key.`,
      hint: 'Attach as the user who submitted the run, or pass the key it was submitted with: --ssh-identity FILE',
    };
  if (/Bad owner or permissions|Bad configuration option/.test(words))
    return {
      message: `ssh refuses its configuration: ${lastLine(words)}`,
      hint: `Mend that file, then: ssh ${alias}`,
    };
  return undefined;
}

export function lastLine(words: string): string {
  return words.trim().split('\n').at(-1)?.trim() ?? '';
}
