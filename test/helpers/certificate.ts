/** A self-signed certificate for localhost, made by openssl. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProcess } from '#system';

export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
  /** Both the certificate and the authority to trust. */
  readonly certPem: string;
  readonly keyPem: string;
}

/** Writes `cert.pem` and `key.pem` into the directory; good for localhost, 127.0.0.1 and other names, for a month. */
export async function createCertificate(
  directory: string,
  otherNames: readonly string[] = [],
): Promise<Certificate> {
  const certPath = join(directory, 'cert.pem');
  const keyPath = join(directory, 'key.pem');
  const selfSigned = 'req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost'.split(' ');
  const all = ['DNS:localhost', 'IP:127.0.0.1', ...otherNames.map((name) => `DNS:${name}`)];
  const names = ['-addext', `subjectAltName=${all.join(',')}`];
  const files = ['-keyout', keyPath, '-out', certPath];
  await runProcess('openssl', [...selfSigned, ...names, ...files]);
  return {
    certPath,
    keyPath,
    certPem: await readFile(certPath, 'utf8'),
    keyPem: await readFile(keyPath, 'utf8'),
  };
}
