import ssh2, { type ParsedKey } from 'ssh2';
import { judgeKey, parseAuthorizedKeys } from './authorized-keys.js';
import { generateKeyPair } from './generate-key-pair.js';

const pair = generateKeyPair();
const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
const message = Buffer.from('what was agreed on');

function privateKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

function offerOf(pairOf: { private: string }, hashAlgorithm?: string) {
  const key = privateKey(pairOf.private);
  return {
    algorithm: key.type,
    blob: key.getPublicSSH(),
    hashAlgorithm,
    proof: { signed: message, signature: key.sign(message, hashAlgorithm) },
  };
}

describe('who may log in', () => {
  const authorized = parseAuthorizedKeys([`${pair.public} me@home\n# a comment`, rsa.public]);

  it('accepts a valid signature with an authorized key', () => {
    expect(judgeKey(offerOf(pair), authorized)).toMatchObject({ outcome: 'accepted' });
    expect(judgeKey(offerOf(rsa, 'sha512'), authorized)).toMatchObject({ outcome: 'accepted' });
  });

  it('asks for a signature first', () => {
    expect(judgeKey({ ...offerOf(pair), proof: undefined }, authorized)).toEqual({ outcome: 'may-sign' });
  });

  it.each([
    [
      'a signature of something else',
      { ...offerOf(pair), proof: { ...offerOf(pair).proof, signed: Buffer.from('x') } },
    ],
    ['another key', offerOf(generateKeyPair())],
    ['RSA over SHA-1', offerOf(rsa)],
    ['an algorithm that is not the key’s', { ...offerOf(pair), algorithm: 'ecdsa-sha2-nistp256' }],
  ])('refuses %s', (_what, offer) => {
    expect(judgeKey(offer, authorized)).toEqual({ outcome: 'refused' });
  });

  it('does not use a line whose options it would ignore', () => {
    expect(parseAuthorizedKeys([`command="date" ${pair.public}`])).toEqual([]);
  });
});
