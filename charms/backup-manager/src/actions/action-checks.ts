/** What several actions check before they do anything: parameters, leadership, the databases named. */
import type { JobDeadline, RelatedDatabase } from '#database-backup';
import type { ActionEvent, ActionTypes } from '#ops';
import { HintError } from '#system';
import { parseDuration } from '../durations.ts';
import type { Manager } from '../manager.ts';
import { oneLine } from '../table.ts';

/** A text parameter, without spaces around it; undefined when absent or empty. @throws HintError for another type */
export function textParameter<T extends ActionTypes>(
  event: ActionEvent<T>,
  name: keyof T['params'] & string,
): string | undefined {
  const value: unknown = event.params[name];
  if (value !== undefined && value !== null && typeof value !== 'string') {
    throw refusal(`${name} must be text`, `run: juju show-action … ${event.name}`);
  }
  return value?.trim() || undefined;
}

/** @throws HintError when the parameter is absent or empty */
export function requiredParameter<T extends ActionTypes>(
  event: ActionEvent<T>,
  name: keyof T['params'] & string,
  hint: string,
): string {
  const value = textParameter(event, name);
  if (value === undefined) {
    throw refusal(`${name} is missing`, hint);
  }
  return value;
}

/** Parameter `limit`, 1 to 200. @throws HintError */
export function limitParameter<T extends ActionTypes & { params: { readonly limit: number } }>({
  params,
}: ActionEvent<T>): number {
  const value: unknown = params.limit ?? 50;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 200) {
    throw refusal('limit must be a whole number from 1 to 200', 'repeat with limit=50');
  }
  return value;
}

/** Parameter `format`. @throws HintError */
export function wantsJson<
  T extends ActionTypes & { params: { readonly format: 'text' | 'json' } },
>({ params }: ActionEvent<T>): boolean {
  const value: unknown = params.format ?? 'text';
  if (value !== 'text' && value !== 'json') {
    throw refusal('format must be text or json', 'repeat with format=text');
  }
  return value === 'json';
}

/** A true or false parameter; undefined when absent. @throws HintError for another type */
export function flagParameter<T extends ActionTypes>(
  event: ActionEvent<T>,
  name: keyof T['params'] & string,
): boolean | undefined {
  const value: unknown = event.params[name] ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') {
    throw refusal(`${name} must be true or false`, `repeat with ${name}=true`);
  }
  return value;
}

/** The three deadlines a job may have; undefined where none is given. @throws HintError */
export function deadlineParameters<
  T extends ActionTypes & {
    params: {
      readonly 'start-deadline'?: string;
      readonly 'run-deadline'?: string;
      readonly 'stall-deadline'?: string;
    };
  },
>(event: ActionEvent<T>): JobDeadline | undefined {
  const seconds = (name: keyof T['params'] & string): number | undefined => {
    const text = textParameter(event, name);
    return text === undefined ? undefined : parseDuration(name, text);
  };
  const [start, run, stall] = [
    seconds('start-deadline'),
    seconds('run-deadline'),
    seconds('stall-deadline'),
  ];
  const deadline: JobDeadline = {
    ...(start === undefined ? {} : { startSeconds: start }),
    ...(run === undefined ? {} : { runSeconds: run }),
    ...(stall === undefined ? {} : { stallSeconds: stall }),
  };
  return Object.keys(deadline).length === 0 ? undefined : deadline;
}

/** Whether a name somebody typed means this database: the application's name, or the id of the relation. */
export function isNamed(
  wanted: string | undefined,
  database: { readonly name: string; readonly relationId: number },
): boolean {
  return wanted === undefined || database.name === wanted || String(database.relationId) === wanted;
}

/** Only one unit may write requests and history. @throws HintError naming the unit to ask */
export function assertLeader(manager: Manager, event: ActionEvent): void {
  if (!manager.isLeader) {
    const leader = manager.leaderName;
    const target = leader ?? `${manager.application}/leader`;
    throw new HintError(
      `${manager.unitName} is not the leader${leader === undefined ? '' : `, ${leader} is`}`,
      { code: 'not-leader', hint: `run: juju run ${target} ${event.name} …` },
    );
  }
  if (!manager.isReady) {
    throw new HintError('this unit is still being set up', {
      code: 'not-ready',
      hint: 'repeat the action in a moment',
    });
  }
}

/** All related databases, or the one named. @throws HintError naming the related ones */
export function chooseDatabases(
  manager: Manager,
  name: string | undefined,
): readonly RelatedDatabase[] {
  const databases = manager.databases();
  const chosen = databases.filter((one) =>
    isNamed(name, { relationId: one.relation.id, name: name === undefined ? '' : one.name }),
  );
  if (databases.length === 0) {
    throw new HintError(
      name === undefined
        ? 'no database is related'
        : `no database is related, not ${quote(name)} either`,
      { code: 'no-database', hint: `run: juju integrate <database> ${manager.application}` },
    );
  }
  if (chosen.length === 0) {
    throw new HintError(`no related database is called ${quote(name ?? '')}`, {
      code: 'unknown-database',
      hint: `related: ${databases.map((one) => one.name).join(', ')}`,
    });
  }
  return chosen;
}

/** The one database named. @throws HintError also where several relations go by that name */
export function chooseDatabase(manager: Manager, name: string): RelatedDatabase {
  const [first, ...others] = chooseDatabases(manager, name);
  if (first === undefined || others.length > 0) {
    throw new HintError(`several relations lead to a database called ${quote(name)}`, {
      code: 'ambiguous-database',
      hint: `name the relation by its id: database=${first?.relation.id ?? '…'}; see list-databases`,
    });
  }
  return first;
}

/** Somebody's text in a message: in quotes, on one line, of bounded length. */
export function quote(text: string): string {
  return JSON.stringify(oneLine(text));
}

function refusal(message: string, hint: string): HintError {
  return new HintError(message, { code: 'invalid-parameter', hint });
}
