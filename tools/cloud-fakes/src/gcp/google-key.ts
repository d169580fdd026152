import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const EMAIL = 'dstack@fake-project.iam.gserviceaccount.com';

/** The key of a service account, and what its tokens have to be like. */
export class GoogleKey {
  private readonly publicKey: KeyObject;
  /** Contents of the file that Google gives for it. */
  readonly file: string;

  constructor(project: string) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    this.publicKey = createPublicKey(publicKey);
    this.file = JSON.stringify({
      type: 'service_account',
      project_id: project,
      private_key_id: 'fake-key-1',
      private_key: privateKey,
      client_email: EMAIL,
      client_id: '100000000000000000001',
      token_uri: 'https://oauth2.googleapis.com/token',
    });
  }

  /** A token the account signed itself, as AIP-4111 describes. */
  accepts(authorization: string | undefined): boolean {
    const [head = '', claims = '', signature = ''] = (authorization ?? '').replace(/^Bearer /, '').split('.');
    const signed = Buffer.from(`${head}.${claims}`);
    if (!verify('RSA-SHA256', signed, this.publicKey, Buffer.from(signature, 'base64url'))) return false;
    // Whatever else it is, it was signed with the key.
    const read = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    const isOfNow = Number(read.exp) * 1000 > Date.now();
    return isOfNow && read.iss === EMAIL && String(read.scope).split(' ').includes(SCOPE);
  }
}
