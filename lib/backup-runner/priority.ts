/** How much a backup stands back for what else the machine does. Restores never do: somebody waits for them. */

/** `low`: the rest of the machine goes first. `idle`: it gets what nobody else wants, and may take very long. */
export const BACKUP_PRIORITIES = ['normal', 'low', 'idle'] as const;

export type BackupPriority = (typeof BACKUP_PRIORITIES)[number];

// Both are essential on Debian and Ubuntu, and become the program they start: its pid is theirs. -t: a kernel that
// refuses is no reason not to back up.
const PREFIXES: Readonly<Record<BackupPriority, readonly string[]>> = {
  normal: [],
  low: ['/usr/bin/nice', '-n', '10', '/usr/bin/ionice', '-t', '-c', '2', '-n', '7'],
  idle: ['/usr/bin/nice', '-n', '19', '/usr/bin/ionice', '-t', '-c', '3'],
};

/** What to put before the command of a worker; its children inherit it. */
export function priorityPrefix(priority: BackupPriority): readonly string[] {
  return PREFIXES[priority];
}

export function isBackupPriority(text: string): text is BackupPriority {
  return BACKUP_PRIORITIES.some((one) => one === text);
}
