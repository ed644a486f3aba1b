/** Reads and writes one status (a unit's or an application's), with as few calls as possible. */
import { applicationStatusGet, statusGet, statusSet } from '../hook-tools/index.ts';
import type { Session } from './session.ts';
import { type SettableStatus, type Status, statusFromName } from './status.ts';

export class StatusSlot {
  readonly #session: Session;
  readonly #application: boolean;
  #set: SettableStatus | undefined;
  #read: Status | undefined;

  constructor(session: Session, options: { readonly application: boolean }) {
    this.#session = session;
    this.#application = options.application;
  }

  get(): Status {
    this.#read ??= this.#ask();
    return this.#set ?? this.#read;
  }

  /** Makes no call when this dispatch set the same already. */
  set(status: SettableStatus): void {
    if (this.#set?.equals(status) === true) {
      return;
    }
    const value = { status: status.name, message: status.message };
    statusSet(this.#session.tools, value, { application: this.#application });
    this.#set = status;
  }

  #ask(): Status {
    const { tools } = this.#session;
    const value = this.#application ? applicationStatusGet(tools) : statusGet(tools);
    return statusFromName(value.status, value.message);
  }
}
