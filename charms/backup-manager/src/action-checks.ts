/** What several actions check before they do anything: parameters, leadership, the databases named. */
import type { RelatedDatabase } from '#database-backup';
import type { ActionEvent, ActionTypes } from '#ops';
import { HintError } from '#system';
import type { BackupManagerTypes } from './charm-types.ts';
import type { Manager } from './manager.ts';
import { oneLine } from './table.ts';

type Actions = BackupManagerTypes['actions'];
type ListEvent = ActionEvent<Actions['list-jobs'] | Actions['list-backups']>;

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
export function limitParameter({ params }: ListEvent): number {
  const value: unknown = params.limit ?? 50;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 200) {
    throw refusal('limit must be a whole number from 1 to 200', 'repeat with limit=50');
  }
  return value;
}

/** Parameter `format`. @throws HintError */
export function wantsJson({ params }: ListEvent): boolean {
  const value: unknown = params.format ?? 'text';
  if (value !== 'text' && value !== 'json') {
    throw refusal('format must be text or json', 'repeat with format=text');
  }
  return value === 'json';
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
  const chosen = databases.filter((one) => name === undefined || one.name === name);
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

/** Somebody's text in a message: in quotes, on one line, of bounded length. */
export function quote(text: string): string {
  return JSON.stringify(oneLine(text));
}

function refusal(message: string, hint: string): HintError {
  return new HintError(message, { code: 'invalid-parameter', hint });
}
