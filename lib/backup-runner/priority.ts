/** How much a backup stands back for what else the machine does. Restores never do: somebody waits for them. */

/** `low`: the rest of the machine goes first. `idle`: it gets what nobody else wants, and may take very long. */
export const BACKUP_PRIORITIES = ['normal', 'low', 'idle'] as const;

export type BackupPriority = (typeof BACKUP_PRIORITIES)[number];

// nice(1) is of coreutils, ionice(1) of util-linux: both essential. Both become the program they start.
const PREFIXES: Readonly<Record<BackupPriority, readonly string[]>> = {
  normal: [],
  low: ['nice', '-n', '10', 'ionice', '-t', '-c', '2', '-n', '7'],
  idle: ['nice', '-n', '19', 'ionice', '-t', '-c', '3'],
};

/** What to put before the command of a worker; its children inherit it. */
export function priorityPrefix(priority: BackupPriority): readonly string[] {
  return PREFIXES[priority];
}

export function isBackupPriority(text: string): text is BackupPriority {
  return BACKUP_PRIORITIES.some((one) => one === text);
}
