/** Matchers for states and contexts: plain functions of the shape `expect.extend()` takes. */
import { HintError } from '#system';
import { Status, type StatusName } from '../model/status.ts';
import type { Context } from './context.ts';
import { type AnyRelationState, type Data, remoteUnitsOf } from './relation-state.ts';
import { State } from './state.ts';

/** The text itself, a pattern it matches, or an asymmetric matcher (`expect.stringContaining()`). */
export type TextExpectation =
  | string
  | RegExp
  | { readonly asymmetricMatch: (value: unknown) => boolean };

/** Whose data of a relation; a number is a remote unit (of a peer relation: a peer). */
export type DatabagOwner = 'unit' | 'app' | 'remote-app' | number;

/** What the matchers add to `expect()`; README.md shows how to declare them to jest. */
export interface OpsMatchers<R> {
  /** A State: its unit has the status; of a name alone any message will do. */
  toHaveUnitStatus(expected: Status | StatusName, message?: TextExpectation): R;
  /** A State: its application has the status. */
  toHaveAppStatus(expected: Status | StatusName, message?: TextExpectation): R;
  /** A State: a databag has these keys with these values; `undefined` means the key is absent. */
  toHaveDatabag(
    relation: string | number | { readonly id: number },
    owner: DatabagOwner,
    expected: Readonly<Record<string, TextExpectation | undefined>>,
  ): R;
  /** A State: exactly these ports are opened, as Juju writes them. */
  toHaveOpenedPorts(...ports: readonly string[]): R;
  toHaveWorkloadVersion(expected: TextExpectation): R;
  /** A State: the latest content of the secret with the label has these keys with these values. */
  toHaveSecret(label: string, expected?: Readonly<Record<string, TextExpectation>>): R;
  /** A Context: its last run logged such a line at the level. */
  toHaveLogged(level: string, message: TextExpectation): R;
  /** A Context: the action of its last run failed. */
  toHaveActionFailure(message?: TextExpectation): R;
}

/** What a matcher hands back. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** For `expect.extend(opsMatchers)`. */
export const opsMatchers = {
  toHaveUnitStatus(received: unknown, expected: Status | StatusName, message?: TextExpectation) {
    const { unitStatus } = stateOf(received, 'toHaveUnitStatus');
    return statusResult('the status of the unit', unitStatus, expected, message);
  },
  toHaveAppStatus(received: unknown, expected: Status | StatusName, message?: TextExpectation) {
    const { appStatus } = stateOf(received, 'toHaveAppStatus');
    return statusResult('the status of the application', appStatus, expected, message);
  },
  toHaveDatabag(
    received: unknown,
    relation: string | number | { readonly id: number },
    owner: DatabagOwner,
    expected: Readonly<Record<string, TextExpectation | undefined>>,
  ) {
    const found = relationOf(stateOf(received, 'toHaveDatabag'), relation);
    const subject = `data of ${String(owner)} in relation ${found.endpoint}:${found.id}`;
    return recordResult(subject, databagOf(found, owner), expected);
  },
  toHaveOpenedPorts(received: unknown, ...ports: readonly string[]) {
    const actual = [...stateOf(received, 'toHaveOpenedPorts').openedPorts].toSorted().join(' ');
    const wanted = ports.toSorted().join(' ');
    return result(actual === wanted, 'the opened ports', { wanted, actual });
  },
  toHaveWorkloadVersion(received: unknown, expected: TextExpectation) {
    const { workloadVersion: actual } = stateOf(received, 'toHaveWorkloadVersion');
    const pass = matches(actual, expected);
    return result(pass, 'the workload version', { wanted: textOf(expected), actual });
  },
  toHaveSecret(
    received: unknown,
    label: string,
    expected: Readonly<Record<string, TextExpectation>> = {},
  ) {
    const { secrets } = stateOf(received, 'toHaveSecret');
    const found = secrets.find((secret) => secret.label === label);
    const labels = secrets.map((secret) => secret.label ?? secret.id).join(', ') || 'no secrets';
    return found === undefined
      ? result(false, 'the secrets', { wanted: label, actual: labels })
      : recordResult(`content of the secret "${label}"`, found.latestContent, expected);
  },
  toHaveLogged(received: unknown, level: string, message: TextExpectation) {
    const { jujuLog } = contextOf(received, 'toHaveLogged');
    const pass = jujuLog.some((line) => line.level === level && matches(line.message, message));
    const actual = jujuLog.map((line) => `\n  ${line.level} ${line.message}`).join('') || 'nothing';
    return result(pass, 'the log', { wanted: `${level} ${textOf(message)}`, actual });
  },
  toHaveActionFailure(received: unknown, message: TextExpectation = /^/) {
    const { actionFailure } = contextOf(received, 'toHaveActionFailure');
    const pass = actionFailure !== undefined && matches(actionFailure, message);
    const actual = actionFailure ?? 'no failure';
    return result(pass, 'the failure of the action', { wanted: textOf(message), actual });
  },
} as const satisfies Record<keyof OpsMatchers<void>, (...args: never[]) => MatcherResult>;

function statusResult(
  subject: string,
  actual: Status,
  expected: Status | StatusName,
  message?: TextExpectation,
): MatcherResult {
  const name = typeof expected === 'string' ? expected : expected.name;
  const wanted = message ?? (typeof expected === 'string' ? /^/ : expected.message);
  const pass = actual.name === name && matches(actual.message, wanted);
  const isAny = typeof expected === 'string' && message === undefined;
  const text = isAny ? name : `${name}: ${textOf(wanted)}`;
  return result(pass, subject, { wanted: text, actual: String(actual) });
}

function recordResult(
  subject: string,
  actual: Data,
  expected: Readonly<Record<string, TextExpectation | undefined>>,
): MatcherResult {
  const entries = Object.entries(expected);
  const pass = entries.every(([key, wanted]) => {
    const value = actual[key];
    return wanted === undefined || value === undefined ? wanted === value : matches(value, wanted);
  });
  const wanted = entries.map(([key, text]) =>
    entryText(key, text === undefined ? 'absent' : textOf(text)),
  );
  const seen = entries.map(([key]) => entryText(key, textOf(actual[key] ?? '(absent)')));
  const others = Object.keys(actual).filter((key) => !Object.hasOwn(expected, key));
  const rest = others.length === 0 ? '' : `\n  and keys ${others.join(', ')}`;
  return result(pass, subject, { wanted: wanted.join(''), actual: `${seen.join('')}${rest}` });
}

function entryText(key: string, text: string): string {
  return `\n  ${key}: ${text}`;
}

function result(
  pass: boolean,
  subject: string,
  texts: { readonly wanted: string; readonly actual: string },
): MatcherResult {
  const wanted = `${pass ? 'not ' : ''}${texts.wanted}`;
  return { pass, message: () => `${subject}\nexpected: ${wanted}\nis: ${texts.actual}` };
}

function matches(actual: string, expected: TextExpectation): boolean {
  if (typeof expected === 'string') {
    return actual === expected;
  }
  // By shape: regular expressions of another realm are as good.
  return 'asymmetricMatch' in expected ? expected.asymmetricMatch(actual) : expected.test(actual);
}

function textOf(expected: TextExpectation): string {
  if (typeof expected === 'string') {
    return JSON.stringify(expected);
  }
  return 'asymmetricMatch' in expected ? 'what the matcher accepts' : expected.toString();
}

function databagOf(relation: AnyRelationState, owner: DatabagOwner): Data {
  if (typeof owner === 'number') {
    return remoteUnitsOf(relation)[owner] ?? {};
  }
  if (owner === 'unit') {
    return relation.localUnitData;
  }
  const isRemote = owner === 'remote-app' && relation.kind === 'relation';
  return isRemote ? relation.remoteAppData : relation.localAppData;
}

function relationOf(
  given: State,
  which: string | number | { readonly id: number },
): AnyRelationState {
  if (typeof which !== 'string') {
    return given.getRelation(which);
  }
  const relations = given.getRelations(which);
  const [only] = relations;
  if (only === undefined || relations.length > 1) {
    throw new HintError(`the state has ${relations.length} relations of endpoint "${which}"`, {
      code: 'not-in-state',
      hint: 'name the relation by its id, or pass the relation itself',
    });
  }
  return only;
}

function stateOf(received: unknown, matcher: string): State {
  if (received instanceof State) {
    return received;
  }
  throw wrongKind(matcher, 'a State: what context.run() returned, or state()');
}

type Seen = Pick<Context<never>, 'jujuLog' | 'actionFailure'>;

function contextOf(received: unknown, matcher: string): Seen {
  if (typeof received === 'object' && received !== null && 'jujuLog' in received) {
    return received as Seen;
  }
  throw wrongKind(matcher, 'a Context');
}

function wrongKind(matcher: string, expected: string): HintError {
  return new HintError(`${matcher}() needs ${expected}`, {
    code: 'not-for-this-matcher',
    hint: `pass expect() ${expected}`,
  });
}
