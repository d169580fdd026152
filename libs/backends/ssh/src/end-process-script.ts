/** Ends the process whose number begins the file, if its command line still holds the text; in ten seconds at the latest. */
export function endProcess(pidFile: string, text: string): string {
  return `
if [ -e ${pidFile} ]; then
  read -r pid rest < ${pidFile} || :
  tries=0
  while grep -qs ${text} "/proc/$pid/cmdline"; do
    if [ "$tries" -eq 0 ]; then kill "$pid" 2>/dev/null || :; fi
    if [ "$tries" -ge 100 ]; then kill -9 "$pid" 2>/dev/null || :; fi
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  rm -f ${pidFile}
fi
`;
}
