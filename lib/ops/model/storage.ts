/** One attached storage. */
import { storageGet } from '../hook-tools/index.ts';
import type { Session } from './session.ts';

export class Storage {
  /** `data/0` */
  readonly id: string;
  /** `data` */
  readonly name: string;
  readonly #session: Session;
  #facts: { readonly kind: string | undefined; readonly location: string | undefined } | undefined;

  constructor(session: Session, id: string) {
    this.#session = session;
    this.id = id;
    this.name = id.slice(0, id.lastIndexOf('/'));
    const { context } = session;
    if (context.storageId === id) {
      this.#facts = { kind: context.storageKind, location: context.storageLocation };
    }
  }

  /** Mount point, or device of a block storage. */
  get location(): string | undefined {
    return this.#read().location;
  }

  /** `filesystem` or `block`. */
  get kind(): string | undefined {
    return this.#read().kind;
  }

  #read() {
    this.#facts ??= storageGet(this.#session.tools, this.id);
    return this.#facts;
  }
}
