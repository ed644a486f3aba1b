/** One attached storage. */
import { storageGet } from '../hook-tools/index.ts';
import type { Session } from './session.ts';

interface StorageTold {
  readonly storageId?: string | undefined;
  readonly storageKind?: string | undefined;
  readonly storageLocation?: string | undefined;
}

export class Storage {
  /** `data/0` */
  readonly id: string;
  /** `data` */
  readonly name: string;
  readonly #session: Session;
  #facts: { readonly kind: string | undefined; readonly location: string | undefined } | undefined;

  /** `told` is what an event says of a storage; that of this dispatch unless given. */
  constructor(session: Session, id: string, told: StorageTold = session.context) {
    this.#session = session;
    this.id = id;
    this.name = id.slice(0, id.lastIndexOf('/'));
    if (told.storageId === id) {
      this.#facts = { kind: told.storageKind, location: told.storageLocation };
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
