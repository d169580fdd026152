import { generateKeyPairSync } from 'node:crypto';
import type { Wire } from '@dstack/core';
import { Injectable } from '@nestjs/common';

/** The pair the nodes of one replica use among themselves. Making one takes long, and no seed decides which. */
@Injectable()
export class ClusterKeys {
  create(): Wire.JobSSHKey {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'pkcs1', format: 'der' },
    });
    return { private: privateKey, public: rsaLine(publicKey) };
  }
}

/** A PKCS#1 public key (two DER integers) as an OpenSSH line. */
function rsaLine(der: Buffer): string {
  const [modulus, exponent] = derIntegers(der);
  const parts = [Buffer.from('ssh-rsa'), exponent, modulus].map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return Buffer.concat([length, part]);
  });
  return `ssh-rsa ${Buffer.concat(parts).toString('base64')}`;
}

function derIntegers(der: Buffer): [Buffer, Buffer] {
  let at = 0;
  const element = (): Buffer => {
    at += 1; // the tag: a sequence, then two integers
    const first = der.readUInt8(at);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const length = lengthBytes === 0 ? first : der.readUIntBE(at + 1, lengthBytes);
    at += 1 + lengthBytes;
    return der.subarray(at, at + length);
  };
  element();
  const modulus = element();
  at += modulus.length;
  return [modulus, element()];
}
