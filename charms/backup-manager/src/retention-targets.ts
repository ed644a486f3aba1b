/** Which backups retention may touch at all. Pure; what it does with them is planned in `#snapshots`. */
import type { LastBackups } from './history.ts';

/** The backups of one application, as shown by the last one made over a living relation. */
export interface RetentionTarget {
  /** What people call it. */
  readonly database: string;
  /** `<path>/<model>/<app>/`: what holds `backups/` and `chunks/`. */
  readonly prefix: string;
  /** The last successful backup: what its model made is concerned, nothing else below the prefix. */
  readonly anchor: string;
}

/** One target for each application with a successful backup over a living relation. */
export function retentionTargets(lastBackups: LastBackups): readonly RetentionTarget[] {
  const targets = new Map<string, RetentionTarget>();
  for (const { relationId, database = `relation ${relationId}`, artefactPath } of byAge(
    lastBackups,
  )) {
    const prefix = applicationPrefix(artefactPath ?? '');
    if (prefix !== undefined && artefactPath !== undefined) {
      targets.set(prefix, { database, prefix, anchor: bare(artefactPath) });
    }
  }
  return [...targets.values()];
}

/**
 * The backups retention decides about: those the anchor's model made. A model and an application of the same names
 * that are gone may have left others there, and those may be all that is left of them.
 * @returns undefined where the anchor is not there: then nothing is known of this place
 */
export function candidatesFor<
  Backup extends { readonly artefactPath: string; readonly modelUuid?: string | undefined },
>(target: RetentionTarget, backups: readonly Backup[]): readonly Backup[] | undefined {
  const anchor = backups.find((one) => bare(one.artefactPath) === target.anchor);
  return anchor === undefined
    ? undefined
    : backups.filter(
        (one) =>
          applicationPrefix(one.artefactPath) === target.prefix &&
          one.modelUuid === anchor.modelUuid,
      );
}

/** `<path>/<model>/<app>/` of an artefact path of ours; undefined for that of another make. */
export function applicationPrefix(artefactPath: string): string | undefined {
  return /^(.+\/)backups\/[^/]+$/.exec(bare(artefactPath))?.[1];
}

/** Without the slashes around it, which nobody needs to write. */
export function bare(path: string): string {
  return path.trim().replaceAll(/^\/+|\/+$/g, '');
}

function byAge(lastBackups: LastBackups) {
  return [...lastBackups.values()].toSorted((a, b) => (a.finishedAt < b.finishedAt ? -1 : 1));
}
