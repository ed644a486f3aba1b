/** What the model refuses before Juju is asked. */
import { HintError } from '#system';

/** A databag this unit may not read or write, by Juju's rules. */
export class DatabagAccessError extends HintError {
  constructor(message: string, hint: string) {
    super(message, { code: 'databag-access', hint });
  }
}

/** Something only the leader may do. */
export class LeaderOnlyError extends HintError {
  constructor(operation: string, unitName: string) {
    super(`cannot ${operation}: ${unitName} is not the leader`, {
      code: 'not-leader',
      hint: 'check unit.isLeader() first',
    });
  }
}

/** More than one relation where one was asked for. */
export class TooManyRelationsError extends HintError {
  constructor(endpoint: string, count: number) {
    super(`cannot get the relation of endpoint "${endpoint}": there are ${count}`, {
      code: 'too-many-relations',
      hint: 'use model.relations(), or declare "limit: 1" for the endpoint',
    });
  }
}

/** A name the charm's metadata do not declare. */
export class UndeclaredNameError extends HintError {
  constructor(kind: string, name: string, declared: Iterable<string>) {
    const known = [...declared].join(', ');
    super(`${kind} "${name}" is not declared by the charm`, {
      code: 'undeclared-name',
      hint: known === '' ? `it declares no ${kind}` : `it declares ${known}`,
    });
  }
}
