/** Copies a charm to where units run it. */
import { runProcess } from '#system';

/**
 * Copies a tree as it is, sharing blocks where the file system can. `target` must not exist.
 *
 * A process of its own writes, and it begins no others: Linux refuses to run a file that anybody has open for writing
 * (ETXTBSY), and a process that is begun while this one wrote would keep the file open until it has become its program.
 * So it happened that the first hook of a unit failed with "bin/node: Text file busy".
 */
export async function copyCharm(source: string, target: string): Promise<void> {
  await runProcess('cp', ['-a', '--reflink=auto', `${source}/.`, target], {
    label: 'copy of a charm',
  });
}
