/** Makes a whole tree survive a power cut. */
import { runProcess } from '#system';

/**
 * One syncfs(2) instead of an fsync for each of thousands of files; since Linux 5.8 it reports lost writes.
 * `sync` is part of coreutils, which every Debian and Ubuntu has.
 */
export async function syncTree(directory: string): Promise<void> {
  await runProcess('sync', ['--file-system', directory], { label: `sync of ${directory}` });
}
