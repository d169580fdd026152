import { HostProblemError } from './host-problem.js';

export function noForwarding(hostname: string, what: string, option: string): HostProblemError {
  return new HostProblemError(
    'no-forwarding',
    true,
    `${hostname}: its sshd does not forward ${what}. Put '${option}' into /etc/ssh/sshd_config (and see that there is no ` +
      "'DisableForwarding yes'), then reload sshd",
  );
}
