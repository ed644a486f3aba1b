/**
 * Which entry paths may exist, and beside which others. Writer and readers apply the same rules, so that
 * nothing is backed up that could not be restored, and nothing restored outside its directory.
 */
import { SnapshotError } from './errors.ts';
import type { EntryKind } from './types.ts';

const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;

/** The paths of one snapshot so far. */
export class PathRegistry {
  /** Path to whether it is, or must be, a directory; `implied` ones may still be listed. */
  readonly #paths = new Map<string, 'directory' | 'implied' | 'leaf'>();

  /** @throws SnapshotError `unsafe-entry` */
  add(path: string, kind: EntryKind): void {
    const problem = pathProblem(path, kind) ?? this.#conflict(path, kind);
    if (problem !== undefined) {
      throw new SnapshotError(`cannot use entry ${JSON.stringify(path)}: ${problem}`, {
        code: 'unsafe-entry',
        hint: 'rename it at the source, or look who wrote this backup',
      });
    }
    this.#paths.set(path, kind === 'directory' ? 'directory' : 'leaf');
    for (let parent = parentOf(path); parent !== undefined; parent = parentOf(parent)) {
      if (this.#paths.has(parent)) {
        return;
      }
      this.#paths.set(parent, 'implied');
    }
  }

  #conflict(path: string, kind: EntryKind): string | undefined {
    const existing = this.#paths.get(path);
    if (existing === 'implied' && kind === 'directory') {
      return undefined;
    }
    if (existing !== undefined) {
      return 'another entry has this path';
    }
    for (let parent = parentOf(path); parent !== undefined; parent = parentOf(parent)) {
      const above = this.#paths.get(parent);
      if (above === 'leaf') {
        return `${JSON.stringify(parent)} above it is no directory`;
      }
      if (above !== undefined) {
        return undefined;
      }
    }
    return undefined;
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
