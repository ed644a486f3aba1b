/** The checksums within a portable file, in the form of `sha256sum`, which proves an unpacked one with `-c`. */
import { SnapshotError } from '../errors.ts';

/** Path of the entry that holds them; it is the last. */
export const CHECKSUMS_PATH = '.juju-database-backup.sha256';

/** One line, with its end; names that would break it are escaped as by GNU coreutils. */
export function checksumLine(path: string, sha256: string): string {
  const escaped = path.replaceAll(/[\\\n\r]/g, (one) => ESCAPES[one] ?? one);
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };

/**
 * Compares what was read with what the file says.
 * @param read SHA-256 in hex of each file, by its path; empty afterwards
 * @throws SnapshotError `damaged` naming the first file that is another one, missing or too many
 */
export async function proveChecksums(
  content: AsyncIterable<Uint8Array>,
  read: Map<string, string>,
): Promise<void> {
  for await (const line of linesOf(content)) {
    const { path, sha256 } = parse(line);
    const found = read.get(path);
    if (found !== sha256) {
      throw damaged(path, found === undefined ? 'is missing' : 'is not what it was when exported');
    }
    read.delete(path);
  }
  const [extra] = read.keys();
  if (extra !== undefined) {
    throw damaged(extra, 'has no checksum');
  }
}

/** The error for a portable file that is not what was exported. */
export function damaged(path: string, what: string): SnapshotError {
  return new SnapshotError(`cannot import: ${JSON.stringify(path)} in the file ${what}`, {
    code: 'damaged',
    hint: `transfer the file again; to take in what you changed on purpose, pack it without ${CHECKSUMS_PATH} and .juju-database-backup.json`,
  });
}

function parse(line: string): { readonly path: string; readonly sha256: string } {
  const [, escape, sha256 = '', path = ''] = /^(\\?)([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
  if (path === '') {
    throw damaged(CHECKSUMS_PATH, 'cannot be read');
  }
  const plain =
    escape === ''
      ? path
      : path.replaceAll(/\\([\\nr])/g, (_, one: string) => UNESCAPES[one] ?? one);
  return { path: plain, sha256 };
}

const UNESCAPES: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', r: '\r' };

async function* linesOf(content: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder('utf8');
  let rest = '';
  for await (const piece of content) {
    const lines = `${rest}${decoder.decode(piece, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') {
    throw damaged(CHECKSUMS_PATH, 'is cut short');
  }
}
