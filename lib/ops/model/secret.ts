/** Secrets: content by revision, grants, and their removal. */
import { HintError } from '#system';
import {
  type SecretContent,
  type SecretInfo,
  type SecretKey,
  type SecretMetadata,
  type SecretOwner,
  secretAdd,
  secretGet,
  secretGrant,
  secretInfoGet,
  secretRemove,
  secretRevoke,
  secretSet,
} from '../hook-tools/index.ts';
import type { Session } from './session.ts';

/** What identifies the relation of a grant; a Relation is one. */
export interface RelationReference {
  readonly endpoint: string;
  readonly id: number;
}

export interface GrantOptions {
  /** Only this unit of the remote application. */
  readonly unit?: string | { readonly name: string };
}

/** One secret. Its content is read when asked for, and then kept for the dispatch. */
export class Secret {
  readonly #session: Session;
  readonly #label: string | undefined;
  #id: string | undefined;
  #content: SecretContent | undefined;

  constructor(session: Session, key: SecretKey) {
    if (key.id === undefined && key.label === undefined) {
      throw new HintError('cannot get a secret: neither id nor label given', {
        code: 'no-secret-key',
        hint: 'pass { id } or { label }',
      });
    }
    this.#session = session;
    this.#id = key.id === undefined ? undefined : secretUri(key.id);
    this.#label = key.label;
  }

  /** As Juju knows it: `secret:<id>`, or `secret://<model uuid>/<id>`. By label: owner only. */
  get id(): string {
    this.#id ??= secretUri(this.info().id);
    return this.#id;
  }

  /** The label it was got or made with. */
  get label(): string | undefined {
    return this.#label;
  }

  /**
   * Content of the revision this unit tracks; the first read starts tracking the latest.
   * With `refresh`, tracks and returns the latest.
   * @throws SecretNotFoundError, SecretPermissionError
   */
  getContent(options: { readonly refresh?: boolean } = {}): Readonly<Record<string, string>> {
    if (options.refresh === true) {
      this.#content = secretGet(this.#session.tools, this.#key(), 'refresh');
    }
    this.#content ??= secretGet(this.#session.tools, this.#key());
    return this.#content;
  }

  /** Content of the latest revision, without tracking it. */
  peekContent(): Readonly<Record<string, string>> {
    return secretGet(this.#session.tools, this.#key(), 'peek');
  }

  /** Replaces the whole content: a new revision, unless it is equal. Owner only. */
  setContent(content: SecretContent): void {
    secretSet(this.#session.tools, this.id, { content });
    this.#content = undefined;
  }

  /** Changes label, description, rotation or expiry. Owner only. */
  setInfo(metadata: SecretMetadata): void {
    secretSet(this.#session.tools, this.id, metadata);
  }

  /** Metadata. Owner only. */
  info(): SecretInfo {
    return secretInfoGet(this.#session.tools, this.#key());
  }

  /** Lets the remote application of the relation read it, or one unit of that. Owner only. */
  grant(relation: RelationReference, options: GrantOptions = {}): void {
    secretGrant(this.#session.tools, this.id, { relation, ...unitOption(options) });
  }

  revoke(relation: RelationReference, options: GrantOptions = {}): void {
    secretRevoke(this.#session.tools, this.id, { relation, ...unitOption(options) });
  }

  removeRevision(revision: number): void {
    secretRemove(this.#session.tools, this.id, revision);
  }

  removeAllRevisions(): void {
    secretRemove(this.#session.tools, this.id);
  }

  #key(): SecretKey {
    return {
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#label === undefined ? {} : { label: this.#label }),
    };
  }
}

/** Creates a secret of the application (leader only) or of the unit. */
export function addSecret(
  session: Session,
  owner: SecretOwner,
  options: SecretMetadata & { readonly content: SecretContent },
): Secret {
  const { content, ...metadata } = options;
  if (owner === 'application') {
    session.requireLeader('add a secret of the application');
  }
  const id = secretAdd(session.tools, content, { ...metadata, owner });
  return new Secret(session, {
    id,
    ...(metadata.label === undefined ? {} : { label: metadata.label }),
  });
}

/** Whether two spellings (`secret:ID`, `secret://MODEL/ID`, `ID`) name the same secret. */
export function isSameSecret(one: string, other: string): boolean {
  return bareSecretId(one) === bareSecretId(other);
}

/** The 20 characters after all prefixes. */
export function bareSecretId(id: string): string {
  return (
    id
      .trim()
      .replace(/^secret:/, '')
      .split('/')
      .at(-1) ?? ''
  );
}

function secretUri(id: string): string {
  const trimmed = id.trim();
  return trimmed.startsWith('secret:') ? trimmed : `secret:${trimmed}`;
}

function unitOption(options: GrantOptions): { unit?: string } {
  const { unit } = options;
  return unit === undefined ? {} : { unit: typeof unit === 'string' ? unit : unit.name };
}
