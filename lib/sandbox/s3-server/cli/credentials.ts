/** The server's keys: given by file or environment, or generated once into a file only its owner reads. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createFileExclusive, HintError, readFileIfExists } from '#system';
import type { Credentials } from '../sigv4/authenticate.ts';

export interface CredentialSources {
  readonly dataDirectory: string;
  readonly file: string | undefined;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * The keys, from the first source that has them; generated when none has.
 * @throws HintError credentials-invalid
 */
export async function loadCredentials(sources: CredentialSources): Promise<Credentials> {
  if (sources.file !== undefined) {
    return parseCredentials(await readFileIfExists(sources.file), sources.file);
  }
  const accessKey = sources.variables['JUJU_S3_ACCESS_KEY'];
  const secretKey = sources.variables['JUJU_S3_SECRET_KEY'];
  if (accessKey !== undefined || secretKey !== undefined) {
    return checked(accessKey, secretKey, 'JUJU_S3_ACCESS_KEY and JUJU_S3_SECRET_KEY');
  }
  const file = credentialsFile(sources.dataDirectory);
  await createFileExclusive(file, encode(generate()), { mode: 0o600 });
  return parseCredentials(await readFileIfExists(file), file);
}

/** Where generated keys are; YAML of two lines, as `juju add-secret --file` takes it. */
export function credentialsFile(dataDirectory: string): string {
  return join(dataDirectory, 'credentials.yaml');
}

function generate(): Credentials {
  return {
    accessKey: `JS3${randomBytes(8).toString('hex').toUpperCase()}`,
    secretKey: randomBytes(30).toString('base64url'),
  };
}

function encode({ accessKey, secretKey }: Credentials): string {
  return `access-key: ${accessKey}\nsecret-key: ${secretKey}\n`;
}

function parseCredentials(text: string | undefined, file: string): Credentials {
  if (text === undefined) {
    throw new HintError(`cannot read credentials: there is no file ${file}`, {
      code: 'credentials-invalid',
      hint: 'write it with lines "access-key: ..." and "secret-key: ...", mode 0600',
    });
  }
  return checked(valueOf(text, 'access-key'), valueOf(text, 'secret-key'), file);
}

function valueOf(text: string, name: string): string | undefined {
  const line = new RegExp(`^${name}:\\s*(['"]?)(\\S+)\\1\\s*$`, 'm').exec(text);
  return line?.[2];
}

function checked(
  accessKey: string | undefined,
  secretKey: string | undefined,
  source: string,
): Credentials {
  const isAccessKey = accessKey !== undefined && /^[\w.-]+$/.test(accessKey);
  if (!isAccessKey || secretKey === undefined || secretKey === '') {
    throw new HintError(`credentials are incomplete in ${source}`, {
      code: 'credentials-invalid',
      hint: 'give both an access key (letters, digits, ".", "_", "-") and a secret key',
    });
  }
  return { accessKey, secretKey };
}
