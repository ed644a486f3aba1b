/** Reads of a .charm archive what its rules are about, without unpacking it. */
import type { Readable } from 'node:stream';
import { type Entry, open as openArchive, type ZipFile } from 'yauzl';

export interface ArchiveEntry {
  /** As the archive has it; folders end in `/`. */
  readonly name: string;
  /** Type and permission bits as of stat(2); 0 where the archive was not made on Unix. */
  readonly mode: number;
  /** The first bytes of a file that may be executed; otherwise empty. */
  readonly head: Buffer;
  /** The whole content of a YAML file or of Juju's own small files at the root; where a symbolic link leads to. */
  readonly text?: string;
}

const TYPE_MASK = 0o170000;
const HEAD_BYTES = 20;
const TEXTS = /^(?:[^/]+\.yaml|revision|version)$/;

export type EntryType = 'file' | 'directory' | 'symlink' | 'other';

export function typeOf({ name, mode }: Pick<ArchiveEntry, 'name' | 'mode'>): EntryType {
  switch (mode & TYPE_MASK) {
    case 0o120000:
      return 'symlink';
    case 0o040000:
      return 'directory';
    case 0:
      return name.endsWith('/') ? 'directory' : 'file';
    case 0o100000:
      return 'file';
    default:
      return 'other';
  }
}

/** All entries in their order. @throws Error where the file is no zip archive, or broken. */
export async function readArchive(path: string): Promise<readonly ArchiveEntry[]> {
  const zip = await openZip(path);
  return await new Promise((resolve, reject) => {
    const entries: ArchiveEntry[] = [];
    const fail = (error: unknown) => {
      zip.close();
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is one of yauzl's or Node's
      reject(error);
    };
    zip.on('error', fail);
    zip.on('end', () => resolve(entries));
    const next = async (entry: Entry) => {
      entries.push(await readEntry(zip, entry));
      zip.readEntry();
    };
    zip.on('entry', (entry: Entry) => {
      next(entry).catch(fail);
    });
    zip.readEntry();
  });
}

async function openZip(path: string): Promise<ZipFile> {
  return await new Promise((resolve, reject) => {
    openArchive(path, { lazyEntries: true }, (error, zip) => {
      if (error === null) {
        resolve(zip);
      } else {
        reject(error);
      }
    });
  });
}

async function readEntry(zip: ZipFile, entry: Entry): Promise<ArchiveEntry> {
  const found = { name: entry.fileName, mode: entry.externalFileAttributes >>> 16 };
  const type = typeOf(found);
  if (type === 'symlink' || (type === 'file' && TEXTS.test(found.name))) {
    const text = (await readBytes(zip, entry, Number.POSITIVE_INFINITY)).toString('utf8');
    return { ...found, head: Buffer.alloc(0), text };
  }
  const isExecutable = type === 'file' && (found.mode & 0o111) !== 0;
  return { ...found, head: await readBytes(zip, entry, isExecutable ? HEAD_BYTES : 0) };
}

async function readBytes(zip: ZipFile, entry: Entry, limit: number): Promise<Buffer> {
  if (limit === 0) {
    return Buffer.alloc(0);
  }
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of await openEntry(zip, entry)) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
    if (size >= limit) {
      break;
    }
  }
  return Buffer.concat(pieces).subarray(0, limit);
}

async function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return await new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error === null) {
        resolve(stream);
      } else {
        reject(error);
      }
    });
  });
}
