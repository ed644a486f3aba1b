/** One object a unit and a application name, for the whole dispatch: they compare with `===`. */
import { Application } from './application.ts';
import type { Session } from './session.ts';
import { Unit } from './unit.ts';

export class Entities {
  readonly #session: Session;
  readonly #applications = new Map<string, Application>();
  readonly #units = new Map<string, Unit>();

  constructor(session: Session) {
    this.#session = session;
  }

  application(name: string): Application {
    const known = this.#applications.get(name) ?? new Application(this.#session, name);
    this.#applications.set(name, known);
    return known;
  }

  unit(name: string): Unit {
    const known =
      this.#units.get(name) ?? new Unit(this.#session, name, this.application(applicationOf(name)));
    this.#units.set(name, known);
    return known;
  }
}

/** `app` of `app/0`. */
function applicationOf(unitName: string): string {
  return unitName.slice(0, unitName.lastIndexOf('/'));
}
