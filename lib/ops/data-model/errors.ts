/** What data models refuse. */
import { HintError } from '#system';

/** One value that does not fit its data model, or is missing. */
export interface DataProblem {
  /** The key in the databag, or the name of the option or param. */
  readonly key: string;
  /** JSON pointer below the key: `/0/port`; empty for the value itself. */
  readonly path: string;
  /** JSON pointer into the schema; absent where the value could not even be decoded. */
  readonly schemaPath: string | undefined;
  readonly reason: string;
}

/** Data that do not fit their model. Names keys, never values. */
export class DataModelError extends HintError {
  /** Whose data these are: `the data of application pg in relation database:7`. */
  readonly subject: string;
  readonly problems: readonly DataProblem[];
  /** None of the model's keys was there: whoever is to write them may not have done so yet. */
  readonly isEmpty: boolean;

  constructor(
    operation: string,
    found: {
      readonly subject: string;
      readonly problems: readonly DataProblem[];
      readonly isEmpty: boolean;
    },
  ) {
    super(`cannot ${operation} ${found.subject}: ${listOf(found.problems)}`, {
      code: found.isEmpty ? 'no-data' : 'invalid-data',
    });
    this.subject = found.subject;
    this.problems = found.problems;
    this.isEmpty = found.isEmpty;
  }

  /** The problems without their places in the schema, for a status or a person who runs an action. */
  get summary(): string {
    return this.problems
      .map(({ key, path, reason }) => `"${key}"${place(path)} ${reason}`)
      .join('; ');
  }
}

/** A data model that is none: a mistake of whoever wrote it. */
export class InvalidDataModelError extends HintError {
  constructor(reason: string, cause?: unknown) {
    super(`cannot use a data model: ${reason}`, {
      code: 'invalid-data-model',
      hint: 'correct the schema or the fields of the model',
      cause,
    });
  }
}

function listOf(problems: readonly DataProblem[]): string {
  return problems
    .map(({ key, path, schemaPath, reason }) => {
      const rule = schemaPath === undefined ? '' : ` (schema ${schemaPath})`;
      return `key "${key}"${place(path)} ${reason}${rule}`;
    })
    .join('; ');
}

function place(path: string): string {
  return path === '' ? '' : ` at ${path}`;
}
