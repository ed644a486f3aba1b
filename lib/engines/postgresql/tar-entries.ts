/** Reads the tar that pg_basebackup writes into entries, while it is being written. */
import type { Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { HintError } from '#system';
import type { EngineEntry } from '../engine.ts';

/** Who owns restored files; the archive's numeric ids mean nothing on another machine. */
export interface EntryOwner {
  readonly owner: string;
  readonly group: string;
}

/**
 * The entries of a tar stream, in its order.
 * @throws HintError `incomplete-archive` when the stream ends early, `unsupported-archive-entry`
 * for anything but files, directories and symlinks, `entry-not-read` when the caller skips a file
 */
export async function* readTarEntries(
  tar: Readable,
  owner: EntryOwner,
): AsyncGenerator<EngineEntry, void, undefined> {
  const archive = extract();
  const onError = (error: Error): void => {
    archive.destroy(error);
  };
  tar.on('error', onError);
  tar.pipe(archive);
  try {
    for await (const item of archive) {
      const body = new EntryBody(item, item.header.name);
      yield toEntry(item.header, owner, body);
      body.assertRead(item.header.size);
      item.resume();
    }
  } catch (error) {
    throw asArchiveError(error);
  } finally {
    tar.unpipe(archive);
    tar.off('error', onError);
    archive.destroy();
  }
}

/** The bytes of one file; knows whether they were read to the end. */
class EntryBody {
  readonly #stream: AsyncIterable<unknown>;
  readonly #path: string;
  #state: 'unopened' | 'open' | 'ended' = 'unopened';

  constructor(stream: AsyncIterable<unknown>, path: string) {
    this.#stream = stream;
    this.#path = path;
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#state !== 'unopened') {
      throw entryError('entry-not-read', this.#path, 'it was opened twice');
    }
    this.#state = 'open';
    try {
      for await (const chunk of this.#stream) {
        yield chunk as Uint8Array;
      }
    } catch (error) {
      throw asArchiveError(error);
    }
    this.#state = 'ended';
  }

  assertRead(size: number): void {
    if (size > 0 && this.#state !== 'ended') {
      throw entryError('entry-not-read', this.#path, 'the next entry was asked for too early');
    }
  }
}

function toEntry(header: Header, owner: EntryOwner, body: EntryBody): EngineEntry {
  const path = header.name.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');
  if (path === '' || path.startsWith('/') || path.split('/').includes('..')) {
    throw entryError('unsupported-archive-entry', header.name, 'its path leaves the directory');
  }
  const mode = header.mode & 0o7777;
  const common = { path, ...owner, mode, mtimeMs: header.mtime.getTime() };
  if (header.type === 'directory') {
    return { kind: 'directory', ...common };
  }
  if (header.type === 'symlink') {
    return { kind: 'symlink', ...common, target: header.linkname };
  }
  if (header.type === 'file') {
    return { kind: 'file', ...common, size: header.size, open: () => body.read() };
  }
  throw entryError('unsupported-archive-entry', path, `it is a ${header.type}`);
}

function entryError(code: string, path: string, reason: string): HintError {
  return new HintError(`cannot read ${path} from the backup stream: ${reason}`, { code });
}

function asArchiveError(error: unknown): unknown {
  if (error instanceof HintError) {
    return error;
  }
  return new HintError('cannot read the backup stream: it ended early or is damaged', {
    code: 'incomplete-archive',
    cause: error,
  });
}
