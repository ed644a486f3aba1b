/** What the consistency rules look at. */
import type { CharmMeta } from '../../meta.ts';
import type { State } from '../state.ts';
import type { TestEvent } from '../test-events.ts';

export interface Scene {
  readonly state: State;
  readonly event: TestEvent;
  readonly meta: CharmMeta;
  readonly appName: string;
  readonly unitNumber: number;
  readonly jujuVersion: string;
  readonly principalUnit: string | undefined;
}

/** One group of rules: a message for each thing that is wrong, with what to change in the test. */
export type Rules = (scene: Scene) => Iterable<string>;

/** What to say of the names a charm has. */
export function namesOf(declared: Iterable<string>): string {
  return [...declared].join(', ') || 'none';
}

/** Values that occur more than once. */
export function repeated<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
