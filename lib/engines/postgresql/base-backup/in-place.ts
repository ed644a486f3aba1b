/** Reads files of a live data directory where they lie, by the rules of `EntryFile`. */
import { constants, type FileHandle, open } from 'node:fs/promises';
import { HintError, hasErrorCode } from '#system';
import type { EntryFile } from '../../engine.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const PIECE_BYTES = 256 * 1024;

/** Opens for reading; what became of a file since it was listed must neither lead elsewhere nor block. */
export async function openInPlace(path: string): Promise<FileHandle> {
  return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/** The same, or `undefined` when it is gone and may be. */
export async function openIfThere(file: EntryFile): Promise<FileHandle | undefined> {
  try {
    return await openInPlace(file.path);
  } catch (error) {
    if (file.whenGone === 'skip' && hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

/** Whole, in memory; all of it from the same file, also when another takes its place meanwhile. */
export async function readSmallFile(path: string): Promise<Buffer> {
  await using handle = await openInPlace(path);
  return await handle.readFile();
}

/**
 * Exactly `size` bytes of an open file, which the caller closes.
 * @throws HintError `file-truncated` where that is not allowed
 */
export async function* readPieces(
  handle: FileHandle,
  file: EntryFile,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  while (at < size) {
    const wanted = Math.min(PIECE_BYTES, size - at);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
    if (bytesRead === 0 && file.whenShort === 'fail') {
      throw new HintError(`cannot back up ${file.path}: it became shorter meanwhile`, {
        code: 'file-truncated',
        hint: 'try again',
      });
    }
    // Nothing read: the rest of a truncated file, as zeros.
    const piece = bytesRead === 0 ? buffer.fill(0) : buffer.subarray(0, bytesRead);
    yield piece;
    at += piece.length;
  }
}
