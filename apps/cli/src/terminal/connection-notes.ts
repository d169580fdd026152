/** What somebody who watches a run is told about the server, beside its log. The run does not need the server to go on. */
export function connectionNotes(
  write: (text: string) => void,
  howLong = 'for 2 minutes',
): (state: 'lost' | 'back') => void {
  return (state) =>
    write(
      state === 'lost'
        ? `The server does not answer; trying again ${howLong}. The run goes on.\n`
        : 'The server answers again.\n',
    );
}
