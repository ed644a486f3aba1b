/** Changes of secrets that wait for the hook to succeed; each is a function from old to new. */
import type { SecretDocument } from '../model/documents.ts';
import type { Reader, Transaction } from '../store/store.ts';

/** Answers the changed secret, or undefined when the change removes it. */
export type SecretChange = (secret: SecretDocument) => SecretDocument | undefined;

export class PendingSecrets {
  readonly #reader: Reader;
  readonly #created = new Map<string, SecretDocument>();
  readonly #changes: { readonly id: string; readonly change: SecretChange }[] = [];

  #refusal: Error | undefined;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  create(secret: SecretDocument): void {
    this.#created.set(secret.id, secret);
  }

  change(id: string, change: SecretChange): void {
    this.#changes.push({ id, change });
  }

  /** Lets the commit fail, of which the first reason is told. */
  refuse(reason: Error): void {
    this.#refusal ??= reason;
  }

  isCreatedHere(id: string): boolean {
    return this.#created.has(id);
  }

  /** The secret with all changes of this hook; undefined when it does not exist (any more). */
  draft(id: string): SecretDocument | undefined {
    return this.#apply(this.#created.get(id) ?? this.#reader.get('secret', id), id);
  }

  /** All secrets, with the changes of this hook. */
  drafts(): readonly SecretDocument[] {
    const ids = [...this.#reader.all('secret').map(({ id }) => id), ...this.#created.keys()];
    return ids.flatMap((id) => this.draft(id) ?? []);
  }

  /** Applies everything. @throws HintError when a changed secret is gone, and what was refused. */
  flush(transaction: Transaction): void {
    if (this.#refusal !== undefined) {
      throw this.#refusal;
    }
    for (const secret of this.#created.values()) {
      transaction.put('secret', secret.id, secret);
    }
    for (const { id, change } of this.#changes) {
      const changed = change(transaction.require('secret', id));
      if (changed === undefined) {
        transaction.remove('secret', id);
      } else {
        transaction.put('secret', id, coalesced(changed, this.#committedLatest(id)));
      }
    }
    this.#created.clear();
    this.#changes.length = 0;
  }

  #committedLatest(id: string): number {
    return this.#reader.get('secret', id)?.latest ?? 0;
  }

  #apply(secret: SecretDocument | undefined, id: string): SecretDocument | undefined {
    return this.#changes
      .filter((entry) => entry.id === id)
      .reduce(
        (draft: SecretDocument | undefined, { change }) =>
          draft === undefined ? undefined : change(draft),
        secret,
      );
  }
}

/** Several new contents in one hook are one new revision. */
function coalesced(secret: SecretDocument, committedLatest: number): SecretDocument {
  const wanted = committedLatest + 1;
  const newest = secret.revisions.at(-1);
  if (newest === undefined || secret.latest <= wanted) {
    return secret;
  }
  return {
    ...secret,
    latest: wanted,
    revisions: [
      ...secret.revisions.filter(({ revision }) => revision < wanted),
      { ...newest, revision: wanted },
    ],
  };
}
