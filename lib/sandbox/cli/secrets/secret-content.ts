/** The content of a secret as typed: `key=value`, `key#file=path`, `key#base64=…`, or a YAML file. */
import { readFileSync } from 'node:fs';
import type { SecretContent } from '../../api.ts';
import { isTree } from '../arguments/action-params.ts';
import { readTextFile, resolvePath } from '../arguments/files.ts';
import { parseYaml } from '../arguments/yaml-input.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { CommandIo } from '../io.ts';

const KEY = /^([a-z](?:-?[a-z0-9]){2,})$/;
// Juju's limit for the whole content, in base64.
const MAX_BYTES = 1_000_000;

/**
 * Keys with their values in base64; arguments win over the file.
 * @throws UsageError when a pair or key is not valid. No message shows a value.
 */
export async function readSecretContent(
  pairs: readonly string[],
  file: string | undefined,
  io: CommandIo,
): Promise<SecretContent> {
  const content: Record<string, string> = {};
  if (file !== undefined) {
    Object.assign(content, await readContentFile(file, io));
  }
  for (const pair of pairs) {
    const { key, value } = readPair(pair, io);
    content[key] = value;
  }
  const size = Object.values(content).reduce((total, value) => total + value.length, 0);
  if (size > MAX_BYTES) {
    throw new UsageError(`base64 encoded secret content too large: ${size} bytes`);
  }
  return content;
}

function readPair(pair: string, io: CommandIo): { readonly key: string; readonly value: string } {
  const at = pair.indexOf('=');
  if (at < 1) {
    throw new UsageError(`key value ${quoted(pair)} not valid`);
  }
  const [name = '', kind, ...rest] = pair.slice(0, at).split('#');
  const text = pair.slice(at + 1);
  if (rest.length > 0 || (kind !== undefined && kind !== 'file' && kind !== 'base64')) {
    throw new UsageError(`key ${quoted(pair.slice(0, at))} not valid`);
  }
  checkKey(name);
  return { key: name, value: encode(name, kind, text, io) };
}

function encode(key: string, kind: string | undefined, text: string, io: CommandIo): string {
  if (kind === 'file') {
    return readBytes(text, io).toString('base64');
  }
  if (kind !== 'base64') {
    return Buffer.from(text).toString('base64');
  }
  const canonical = Buffer.from(text, 'base64').toString('base64');
  if (canonical.replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw new UsageError(`value of key ${quoted(key)} is not base64`);
  }
  return canonical;
}

function readBytes(path: string, io: CommandIo): Buffer {
  try {
    return readFileSync(resolvePath(path, io));
  } catch (error) {
    const reason = Error.isError(error) ? error.message.replace(/^\w+: /, '') : String(error);
    throw new CommandError(`reading content for secret key from ${path}: ${reason}`);
  }
}

async function readContentFile(file: string, io: CommandIo): Promise<SecretContent> {
  const document = await parseYaml(await readTextFile(file, io), `secret file ${file}`);
  if (!isTree(document)) {
    throw new CommandError(`secret file ${file} must contain a YAML map`);
  }
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => {
      const [key = '', kind] = name.split('#');
      checkKey(key);
      return [key, encode(key, kind, String(value), io)];
    }),
  );
}

function checkKey(key: string): void {
  if (!KEY.test(key)) {
    throw new UsageError(`key ${quoted(key)} not valid`);
  }
}
