/** What ssh says once it is connected and forwards. */
export const READY_WORD = 'dstack-attached';

/**
 * What ssh runs here once it is connected: it says so, and ends ssh with the input, which is ours and ends with this process, however that
 * ends. Left alone, ssh would keep the user's ports until the job is over. A shell takes the input of what runs beside it away, hence the 3.
 */
export const LOCAL_COMMAND = `echo ${READY_WORD}; exec 3<&0; { cat <&3; kill $PPID; } >/dev/null 2>&1 &`;
