/** The order of changes that need one another. */
import type { Change } from './changes.ts';

export interface Planned {
  readonly change: Change;
  /** What has to be done before. */
  requires: readonly Planned[];
}

/** Keeps the order given but where something has to be done before; again and again through what is left. */
export function inOrder(planned: readonly Planned[]): readonly Change[] {
  const done = new Set<Planned>();
  while (done.size < planned.length) {
    const before = done.size;
    for (const entry of planned) {
      if (!done.has(entry) && entry.requires.every((other) => done.has(other))) {
        done.add(entry);
      }
    }
    if (done.size === before) {
      throw new Error('changes of a bundle that wait for one another');
    }
  }
  return [...done].map(({ change }) => change);
}
