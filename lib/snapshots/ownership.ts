/** Who a restored entry belongs to on this machine. */
import { readFileIfExists } from '#system';
import type { EntryMetadata } from './types.ts';

export interface Ownership {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Names win over numbers, as the same user may have another number on another machine; without root's rights
 * everything belongs to whoever restores.
 */
export class OwnerResolver {
  readonly #fixed: Ownership | undefined;
  readonly #users: ReadonlyMap<string, number>;
  readonly #groups: ReadonlyMap<string, number>;
  readonly #privileged: boolean;

  private constructor(
    fixed: Ownership | undefined,
    users: ReadonlyMap<string, number>,
    groups: ReadonlyMap<string, number>,
  ) {
    this.#fixed = fixed;
    this.#users = users;
    this.#groups = groups;
    this.#privileged = process.geteuid?.() === 0;
  }

  static async create(fixed: Ownership | undefined): Promise<OwnerResolver> {
    const [users, groups] = await Promise.all([readIds('/etc/passwd'), readIds('/etc/group')]);
    return new OwnerResolver(fixed, users, groups);
  }

  /** undefined where the owner is to stay who creates the entry. */
  ownerOf(entry: EntryMetadata): Ownership | undefined {
    if (this.#fixed !== undefined || !this.#privileged) {
      return this.#fixed;
    }
    const uid = this.#users.get(entry.owner ?? '') ?? entry.uid;
    const gid = this.#groups.get(entry.group ?? '') ?? entry.gid;
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  }
}

/** Name to number: first and third field of passwd(5) and group(5) alike. */
async function readIds(path: string): Promise<ReadonlyMap<string, number>> {
  const lines = ((await readFileIfExists(path)) ?? '').split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [name, , id] = line.split(':');
      return name === undefined || id === undefined ? [] : [[name, Number(id)] as const];
    }),
  );
}
