/**
 * What statuses were, for `juju show-status-log`: one JSON line a change, in a file that survives the
 * daemon. Not forced to the disk; losing its last lines with the machine harms nobody.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusChange, StatusInfo } from '../api-status.ts';
import type { SandboxPaths } from '../client/paths.ts';
import type { Change, Store } from '../store/store.ts';

export class StatusHistory {
  readonly #path: string;

  constructor(paths: SandboxPaths) {
    this.#path = join(paths.root, 'status.log');
  }

  /** Writes down every change from now on. */
  follow(store: Store): void {
    store.onCommit((changes) => {
      const lines = changes.flatMap(entriesOf).map((line) => `${JSON.stringify(line)}\n`);
      if (lines.length > 0) {
        appendFileSync(this.#path, lines.join(''), { mode: 0o600 });
      }
    });
  }

  /** All changes of an entity, oldest first. */
  read(entity: string): readonly StatusChange[] {
    if (!existsSync(this.#path)) {
      return [];
    }
    // The last line may be torn by a crash.
    return readFileSync(this.#path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as StatusChange)
      .filter((change) => change.entity === entity);
  }
}

function entriesOf(change: Change): readonly StatusChange[] {
  if (change.kind === 'unit') {
    const { id, before, after } = change;
    return [
      ...entry(id, 'workload', before?.workload, after?.workload),
      ...entry(id, 'juju-unit', before?.agent, after?.agent),
    ];
  }
  return change.kind === 'application'
    ? entry(change.id, 'application', change.before?.status, change.after?.status)
    : [];
}

function entry(
  entity: string,
  type: StatusChange['type'],
  before: StatusInfo | undefined,
  after: StatusInfo | undefined,
): readonly StatusChange[] {
  if (after === undefined || isSame(before, after)) {
    return [];
  }
  const { current: status, message, since = new Date().toISOString() } = after;
  return [{ entity, type, status, ...(message === undefined ? {} : { message }), since }];
}

function isSame(before: StatusInfo | undefined, after: StatusInfo): boolean {
  return (['current', 'message', 'since'] as const).every((key) => before?.[key] === after[key]);
}
