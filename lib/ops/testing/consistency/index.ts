/** Refuses states and events Juju could not be in: a test on nonsense proves nothing. */
import { HintError } from '#system';
import type { Framework } from '../../framework.ts';
import { actionProblems } from './action-rules.ts';
import { configProblems } from './config-rules.ts';
import { eventProblems } from './event-rules.ts';
import { relationProblems } from './relation-rules.ts';
import type { Rules, Scene } from './scene.ts';
import { secretProblems } from './secret-rules.ts';
import { observerProblems, storedProblems } from './stored-rules.ts';
import {
  cloudProblems,
  networkProblems,
  placeProblems,
  portProblems,
  resourceProblems,
  storageProblems,
} from './unit-rules.ts';

/** The message has all problems, each with what to change in the test. */
export class InconsistentStateError extends HintError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Juju could not be in this state:\n- ${problems.join('\n- ')}`, {
      code: 'inconsistent-state',
    });
    this.problems = problems;
  }
}

const RULES: readonly Rules[] = [
  configProblems,
  relationProblems,
  eventProblems,
  secretProblems,
  actionProblems,
  storageProblems,
  cloudProblems,
  networkProblems,
  resourceProblems,
  portProblems,
  placeProblems,
  storedProblems,
];

/** @throws InconsistentStateError */
export function checkConsistency(scene: Scene): void {
  refuse(RULES.flatMap((rules) => [...rules(scene)]));
}

/** What can be checked only when the charm is made. @throws InconsistentStateError */
export function checkObservers(framework: Framework, scene: Pick<Scene, 'state' | 'event'>): void {
  refuse([...observerProblems(framework, scene)]);
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) {
    throw new InconsistentStateError(problems);
  }
}
