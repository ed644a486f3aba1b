/** Storages of a test's state. */
import { frozenCopy } from './freeze.ts';

export interface StorageState {
  /** `data/0` */
  readonly id: string;
  readonly location: string;
  readonly kind: 'filesystem' | 'block';
}

export interface StorageFields {
  /** As the charm declares it. */
  readonly name: string;
  /** The next free number unless told. */
  readonly index?: number;
  readonly location?: string;
  readonly kind?: StorageState['kind'];
}

/** An attached storage: a file system, unless told otherwise. */
export function storage(fields: StorageFields): StorageState {
  const { name, kind = 'filesystem', index = nextIndex() } = fields;
  const usual = kind === 'block' ? `/dev/${name}-${index}` : `/srv/${name}/${index}`;
  return frozenCopy({ id: `${name}/${index}`, location: fields.location ?? usual, kind });
}

/** `data` of `data/0`. */
export function storageName(id: string): string {
  return id.slice(0, id.lastIndexOf('/'));
}

// As Juju, one counter for all storages; tests compare ids, never their values.
let lastIndex = -1;

function nextIndex(): number {
  lastIndex += 1;
  return lastIndex;
}
