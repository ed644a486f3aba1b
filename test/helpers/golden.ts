/** The snapshots kept for ever in test/golden, and what a restore of them must give. */
import { createHash } from 'node:crypto';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const GOLDEN = fileURLToPath(new URL('../golden/snapshots/v1', import.meta.url));
export const GOLDEN_PASSPHRASE = 'golden passphrase, known to everybody';

/** What lies at a path, in one line: kind, mode, SHA-256 of the content. */
async function describePath(path: string): Promise<string> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) {
    return `link to ${await readlink(path)}`;
  }
  if (found.isDirectory()) {
    return `directory ${(found.mode & 0o7777).toString(8)}`;
  }
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return `file ${(found.mode & 0o7777).toString(8)} ${digest}`;
}

/** Noted when the snapshots in the folder were written: path to description. */
export async function goldenContent(
  folder: string,
  without: readonly string[] = [],
): Promise<Readonly<Record<string, string>>> {
  const content = JSON.parse(await readFile(`${folder}.json`, 'utf8')) as Record<string, string>;
  return Object.fromEntries(Object.entries(content).filter(([path]) => !without.includes(path)));
}

/** The same of a directory restored. */
export async function describeTree(
  directory: string,
  paths: Iterable<string>,
): Promise<Readonly<Record<string, string>>> {
  const described: Record<string, string> = {};
  for (const path of paths) {
    described[path] = await describePath(join(directory, path));
  }
  return described;
}
