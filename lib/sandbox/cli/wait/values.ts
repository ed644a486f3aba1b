/** What queries of `juju wait-for` compute with. */

/** Something whose members a query may name: a model, an application, a unit, a machine. */
export interface Scope {
  /** `name`, or `argument.name` inside a lambda. @throws CommandError when there is no such member. */
  readonly get: (name: string) => Value;
}

/** The units, applications or machines of something, by name. */
export interface Scopes {
  readonly scopes: ReadonlyMap<string, Scope>;
}

export interface Lambda {
  readonly argument: string;
  readonly run: (scope: Scope) => boolean;
}

export interface Members {
  readonly members: Readonly<Record<string, string | number | boolean>>;
}

export type Value = string | number | boolean | readonly string[] | Members | Scopes | Lambda;

export function isScopes(value: Value): value is Scopes {
  return typeof value === 'object' && 'scopes' in value;
}

export function isLambda(value: Value | undefined): value is Lambda {
  return typeof value === 'object' && 'argument' in value;
}
