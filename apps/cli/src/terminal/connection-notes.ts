/** What a reader of logs is told about the server, beside the log. The run does not need the server to go on. */
export function connectionNotes(write: (text: string) => void): (state: 'lost' | 'back') => void {
  return (state) =>
    write(
      state === 'lost'
        ? 'The server does not answer; trying again for 2 minutes. The run goes on.\n'
        : 'The server answers again.\n',
    );
}
