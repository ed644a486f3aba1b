/**
 * Which entry paths may exist, and beside which others. Writer and readers apply the same rules, so that
 * nothing is backed up that could not be restored, and nothing restored outside its directory.
 */
import { SnapshotError } from './errors.ts';
import { PathTable } from './path-table.ts';
import type { EntryKind } from './types.ts';

const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;

/** What a path is; an implied directory may still be listed. */
const [IMPLIED, DIRECTORY, LEAF] = [1, 2, 3] as const;

/** The paths of one snapshot so far. */
export class PathRegistry {
  readonly #paths = new PathTable();
  /** That of the latest path, known to be a directory: most have the same as the one before. */
  #parent: string | undefined;

  /** @throws SnapshotError `unsafe-entry` */
  add(path: string, kind: EntryKind): void {
    const problem = pathProblem(path, kind) ?? this.#place(path, kind);
    if (problem !== undefined) {
      throw new SnapshotError(`cannot use entry ${JSON.stringify(path)}: ${problem}`, {
        code: 'unsafe-entry',
        hint: 'rename it at the source, or look who wrote this backup',
      });
    }
  }

  /** @returns why it cannot be there */
  #place(path: string, kind: EntryKind): string | undefined {
    const parent = parentOf(path);
    const isBesideLatest = parent === this.#parent;
    const leaf = isBesideLatest ? undefined : this.#leafAbove(parent);
    if (leaf !== undefined) {
      return `${JSON.stringify(leaf)} above it is no directory`;
    }
    const known = this.#paths.add(path, kind === 'directory' ? DIRECTORY : LEAF);
    if (known === IMPLIED && kind === 'directory') {
      this.#paths.replace(path, DIRECTORY);
    } else if (known !== 0) {
      return 'another entry has this path';
    }
    if (!isBesideLatest) {
      this.#imply(parent);
      this.#parent = parent;
    }
    return undefined;
  }

  #leafAbove(parent: string | undefined): string | undefined {
    for (let above = parent; above !== undefined; above = parentOf(above)) {
      const known = this.#paths.get(above);
      if (known !== 0) {
        return known === LEAF ? above : undefined;
      }
    }
    return undefined;
  }

  #imply(parent: string | undefined): void {
    for (let above = parent; above !== undefined; above = parentOf(above)) {
      if (this.#paths.add(above, IMPLIED) !== 0) {
        return;
      }
    }
  }
}

function pathProblem(path: string, kind: EntryKind): string | undefined {
  if (path === '.') {
    return kind === 'directory' ? undefined : 'only a directory can be the top';
  }
  if (!path.isWellFormed() || path.includes('\0')) {
    return 'the path is not valid text';
  }
  if (path.startsWith('/')) {
    return 'the path is absolute';
  }
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..')) {
    return 'the path has an empty, "." or ".." part';
  }
  const tooLong =
    Buffer.byteLength(path) > MAX_PATH_BYTES ||
    names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  return tooLong ? 'the path is too long' : undefined;
}

function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? undefined : path.slice(0, slash);
}
