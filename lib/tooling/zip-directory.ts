/** A directory → a zip archive that keeps permission bits, as Juju unpacks them. */
import { createWriteStream } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';

// The Node binary dominates; higher levels cost seconds a pack and save few megabytes.
const COMPRESSION_LEVEL = 1;
// One fixed time for all entries, so that equal content makes an equal archive.
const ENTRY_TIME = new Date('2000-01-01T00:00:00Z');

/** Writes all regular files below `directory` to `target`, replaced atomically. */
export async function zipDirectory(directory: string, target: string): Promise<void> {
  const archive = new yazl.ZipFile();
  const names = await readdir(directory, { recursive: true });
  for (const name of names.toSorted()) {
    const path = join(directory, name);
    const info = await stat(path);
    if (info.isFile()) {
      archive.addFile(path, relative(directory, path), {
        mode: info.mode,
        mtime: ENTRY_TIME,
        compressionLevel: COMPRESSION_LEVEL,
      });
    }
  }
  archive.end();
  const temporary = `${target}.${process.pid}.tmp`;
  await pipeline(archive.outputStream, createWriteStream(temporary));
  await rename(temporary, target);
}
