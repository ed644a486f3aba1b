/** A directory → a zip archive, the same bytes for the same content: wherever, whenever and by whomever made. */
import { createWriteStream } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';

// The Node binary dominates; higher levels cost seconds a pack and save few megabytes.
const COMPRESSION_LEVEL = 1;
// One fixed time for all entries. The old time stamp of zip is local time; the new one, which is not, stays out.
const ENTRY_TIME = new Date(2000, 0, 1);
// Permission bits as the archive of a charm needs them, whatever the umask here: to be executed, or not.
const EXECUTABLE = 0o100755;
const PLAIN = 0o100644;

/**
 * Writes all regular files below `directory` to `target`, replaced atomically. Of their modes the archive
 * keeps whether the owner may execute them.
 */
export async function zipDirectory(directory: string, target: string): Promise<void> {
  const archive = new yazl.ZipFile();
  const names = await readdir(directory, { recursive: true });
  for (const name of names.toSorted()) {
    const path = join(directory, name);
    const info = await stat(path);
    if (info.isFile()) {
      archive.addFile(path, relative(directory, path), {
        mode: (info.mode & 0o100) === 0 ? PLAIN : EXECUTABLE,
        mtime: ENTRY_TIME,
        forceDosTimestamp: true,
        compressionLevel: COMPRESSION_LEVEL,
      });
    }
  }
  archive.end();
  const temporary = `${target}.${process.pid}.tmp`;
  await pipeline(archive.outputStream, createWriteStream(temporary));
  await rename(temporary, target);
}
