import { ACMClient, DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { BackendError, type Call, withinCall } from '@dstack/backend-base';
import { clientOptions } from './client-options.js';
import type { AwsAccess } from './client.js';
import { awsCode, explainAws } from './errors.js';

/**
 * That a balancer would not take the certificate is known before anything is made. An account that may not ask is told by the balancer.
 * @throws {BackendError}
 */
export async function requireCertificate(arn: string, region: string, access: AwsAccess, call: Call): Promise<void> {
  // Certificates that were uploaded to IAM are none of ACM's.
  if (!/^arn:[a-z-]+:acm:/.test(arn)) return;
  const client = new ACMClient(clientOptions(region, access, 15_000));
  try {
    const status = await withinCall(
      call,
      async (abortSignal) => {
        const answer = await client.send(new DescribeCertificateCommand({ CertificateArn: arn }), { abortSignal });
        return answer.Certificate;
      },
      access.now,
    );
    const problem = whyUnusable(status?.Status, status?.FailureReason);
    if (problem !== null)
      throw new BackendError({ kind: 'rejected', blocks: 'offer' }, `Certificate ${arn} ${problem}`);
  } catch (error) {
    call.signal.throwIfAborted();
    if (/^AccessDenied/.test(awsCode(error) ?? '')) return;
    throw explainAws(error);
  } finally {
    client.destroy();
  }
}

/** Null: it is issued. */
export function whyUnusable(status: string | undefined, failure: string | undefined): string | null {
  switch (status) {
    case 'ISSUED':
      return null;
    case 'PENDING_VALIDATION':
      return 'is not issued yet: prove that the domain is yours as its page in AWS Certificate Manager says, and apply again';
    case 'EXPIRED':
      return 'has expired: renew it, or name another one';
    default:
      return `cannot be used: AWS Certificate Manager says ${status ?? 'nothing of it'}${failure === undefined ? '' : ` (${failure})`}`;
  }
}
