/** Hands secret content to a hook tool by files nobody else can read, never by arguments. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HintError } from '#system';

export type SecretContent = Readonly<Record<string, string>>;

// As Juju's own pattern: at least three characters, single dashes inside.
const KEY = /^([a-z](?:-?[a-z0-9]){2,})$/;

/** @throws HintError when Juju would refuse the content; names keys, never values. */
export function checkSecretContent(content: SecretContent): void {
  const keys = Object.keys(content);
  const bad = keys.find((key) => !KEY.test(key));
  if (keys.length === 0 || bad !== undefined) {
    const reason = bad === undefined ? 'it has no keys' : `key "${bad}" is not valid`;
    throw new HintError(`cannot store secret content: ${reason}`, {
      code: 'invalid-secret-content',
      hint: 'use keys of at least three lower-case letters, digits and single dashes',
    });
  }
}

/** Calls `use` with arguments `key#file=PATH`; the files are gone when it returns. */
export function withSecretFiles<T>(content: SecretContent, use: (args: string[]) => T): T {
  checkSecretContent(content);
  // mkdtemp makes the directory with mode 0700.
  const directory = mkdtempSync(join(tmpdir(), 'ops-secret-'));
  try {
    const args = Object.entries(content).map(([key, value]) => {
      const path = join(directory, key);
      writeFileSync(path, value, { mode: 0o600, flag: 'wx' });
      return `${key}#file=${path}`;
    });
    return use(args);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
