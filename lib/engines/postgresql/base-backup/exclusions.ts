/**
 * What of a data directory is no part of a backup: what the server makes anew when it starts, or must not
 * find. The list is that of pg_basebackup (basebackup.c) and of the chapter on the low-level API. Pure.
 */

// Made anew at each start, or of no meaning to another server.
const EMPTIED_DIRECTORIES: ReadonlySet<string> = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

const EXCLUDED_AT_THE_TOP: ReadonlySet<string> = new Set([
  'backup_label',
  'backup_label.old',
  'backup_manifest',
  'current_logfiles.tmp',
  'postgresql.auto.conf.tmp',
  'postmaster.opts',
  'postmaster.pid',
  'tablespace_map',
  'tablespace_map.old',
]);

// Whole files of relations and of the commit logs: what a recovery puts right, page by page.
const REPLAYED = /^(?:base|global|pg_xact|pg_multixact|pg_commit_ts)\//;
const RELATION_DIRECTORY = /^(?:global|base\/\d+)$/;
const DATABASE_DIRECTORY = /^base\/\d+$/;
const INIT_FORK = /^(\d+)_init$/;
const RELATION_FILE = /^(\d+)(?:_(?:fsm|vm|main))?(?:\.\d+)?$/;
const TEMPORARY_RELATION = /^t\d+_\d+(?:_(?:fsm|vm|main|init))?(?:\.\d+)?$/;

/** The directory at `path` is part of the backup, what is in it is not. */
export function isEmptied(path: string): boolean {
  return path === 'pg_wal' || EMPTIED_DIRECTORIES.has(path);
}

/** A recovery repairs the file at `path`, in whichever of its states during the backup it was read. */
export function isReplayed(path: string): boolean {
  return REPLAYED.test(path);
}

/** Those of the `names` found in a `directory` (relative, '' at the top) that are part of a backup. */
export function includedNames(directory: string, names: readonly string[]): string[] {
  const isLeftOut = leftOutOf(directory, names);
  return names.filter(
    (name) =>
      !name.startsWith('pgsql_tmp') && !name.startsWith('pg_internal.init') && !isLeftOut(name),
  );
}

function leftOutOf(directory: string, names: readonly string[]): (name: string) => boolean {
  if (directory === '') {
    return (name) => EXCLUDED_AT_THE_TOP.has(name);
  }
  if (!RELATION_DIRECTORY.test(directory)) {
    return () => false;
  }
  const unlogged = new Set(names.map((name) => INIT_FORK.exec(name)?.[1] ?? ''));
  const hasTemporary = DATABASE_DIRECTORY.test(directory);
  return (name) => {
    const relation = RELATION_FILE.exec(name)?.[1];
    return (
      (directory === 'global' && name === 'pg_control') ||
      (relation !== undefined && unlogged.has(relation)) ||
      (hasTemporary && TEMPORARY_RELATION.test(name))
    );
  };
}
