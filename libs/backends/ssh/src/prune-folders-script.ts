import { AGENTS_DIR, STATES_DIR } from './host-paths.js';

/**
 * Removes the agents' folders that no installation has in use, no process was started from, and no container has mounted: the agents
 * inside jobs stay what they were when their job began.
 */
export function pruneFolders(): string {
  return `
for each in ${AGENTS_DIR}/*; do
  if [ ! -d "$each" ]; then continue; fi
  name=\${each##*/}
  if ls -l ${STATES_DIR}/*/current 2>/dev/null | grep -q "/$name$"; then continue; fi
  if grep -qs "/agent/$name/" /proc/[0-9]*/cmdline; then continue; fi
  if grep -qs "/agent/$name " /proc/[0-9]*/mountinfo; then continue; fi
  rm -rf "$each"
done
`;
}
