/** Brings a charm, packed or not, into a directory of its own. */
import { createWriteStream } from 'node:fs';
import { chmod, constants, cp, mkdir, stat, symlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, open as openArchive, type ZipFile } from 'yauzl';
import { hasErrorCode } from '#system';
import { ModelError } from '../errors.ts';

// What version control leaves in a source tree is no part of a charm.
const IGNORED: ReadonlySet<string> = new Set(['.git', '.svn', '.hg', '.bzr']);

const TYPE_MASK = 0o170000;
const SYMLINK = 0o120000;

/**
 * Copies the charm directory or unpacks the `.charm` file at `source` into `target`, which must not
 * exist. Permission bits are kept; `hooks/*` become executable, `dispatch` must be so already.
 * @throws ModelError with Juju's message where `source` is no charm.
 */
export async function unpackCharm(source: string, target: string): Promise<void> {
  const kind = await lookAt(source);
  if (kind === 'directory') {
    await copyTree(source, target);
    return;
  }
  await mkdir(target, { recursive: true });
  await unzip(source, target);
}

/** Copies a tree as it is, sharing blocks where the file system can. */
async function copyTree(source: string, target: string): Promise<void> {
  await cp(source, target, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (path) => path === source || !IGNORED.has(basename(path)),
  });
}

async function lookAt(source: string): Promise<'directory' | 'file'> {
  try {
    const found = await stat(source);
    return found.isDirectory() ? 'directory' : 'file';
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR')) {
      throw new ModelError(`no charm was found at ${JSON.stringify(source)}`, 'not-found');
    }
    throw error;
  }
}

async function unzip(source: string, target: string): Promise<void> {
  const zip = await openZip(source);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      zip.close();
      reject(asInvalid(error));
    };
    zip.on('error', fail);
    zip.on('end', resolve);
    zip.on('entry', (entry: Entry) => {
      unpackEntry(zip, entry, target).then(() => zip.readEntry(), fail);
    });
    zip.readEntry();
  });
}

async function openZip(source: string): Promise<ZipFile> {
  return await new Promise((resolve, reject) => {
    openArchive(source, { lazyEntries: true }, (error, zip) => {
      if (error === null) {
        resolve(zip);
      } else {
        reject(new ModelError('zip: not a valid zip file', 'invalid', error));
      }
    });
  });
}

async function unpackEntry(zip: ZipFile, entry: Entry, root: string): Promise<void> {
  const path = insideOf(root, entry.fileName);
  const mode = entry.externalFileAttributes >>> 16;
  if (entry.fileName.endsWith('/')) {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const stream = await openEntry(zip, entry);
  if ((mode & TYPE_MASK) === SYMLINK) {
    await link(root, path, await readText(stream));
    return;
  }
  await pipeline(stream, createWriteStream(path, { flags: 'wx' }));
  await chmod(path, permissions(entry.fileName, mode));
}

/** Symbolic links must be relative and stay inside the charm. */
async function link(root: string, path: string, target: string): Promise<void> {
  const end = normalize(join(dirname(path), target));
  if (isAbsolute(target) || relative(root, end).split('/')[0] === '..') {
    throw new ModelError(
      `symlink ${JSON.stringify(relative(root, path))} links out of charm: ${JSON.stringify(target)}`,
    );
  }
  await symlink(target, path);
}

function insideOf(root: string, name: string): string {
  const path = normalize(join(root, name));
  if (isAbsolute(name) || !path.startsWith(`${root}/`)) {
    throw new ModelError(`invalid relative path in charm archive: ${JSON.stringify(name)}`);
  }
  return path;
}

function permissions(name: string, mode: number): number {
  const bits = mode & 0o777;
  const given = bits === 0 ? 0o644 : bits;
  return name.startsWith('hooks/') ? given | 0o100 : given;
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

async function readText(stream: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) {
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function asInvalid(error: unknown): unknown {
  return error instanceof ModelError || !Error.isError(error) || 'syscall' in error
    ? error
    : new ModelError(`cannot read charm archive: ${error.message}`, 'invalid', error);
}
