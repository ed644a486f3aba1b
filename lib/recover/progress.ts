/** Tells now and then how far it is. */
import type { BackupProgress, ReadProgress } from '#snapshots';
import { formatBytes } from '#system';
import type { RecoverPorts } from './recover-ports.ts';

const PROGRESS_MS = 2000;

/** For what reads a backup. @param verb What is done with its bytes, for example "verified" */
export function progressOptions(verb: string, ports: RecoverPorts) {
  const tell = rarely(ports);
  return {
    signal: ports.signal,
    onProgress: ({ bytesVerified, totalBytes }: ReadProgress): void =>
      tell(() => `${formatBytes(bytesVerified)} of ${formatBytes(totalBytes)} ${verb}\n`),
  };
}

/** For what makes one; nobody knows how long that is. */
export function importProgress(ports: RecoverPorts): (progress: BackupProgress) => void {
  const tell = rarely(ports);
  return ({ bytesRead }) => tell(() => `${formatBytes(bytesRead)} imported\n`);
}

function rarely({ clock, note }: RecoverPorts): (text: () => string) => void {
  let told = clock.now().getTime();
  return (text) => {
    const now = clock.now().getTime();
    if (now - told >= PROGRESS_MS) {
      told = now;
      note(text());
    }
  };
}
