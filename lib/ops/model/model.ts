/** The charm's view of the Juju model: read when first asked for, kept for one dispatch. */
import { HintError } from '#system';
import type { CharmTypes, EndpointName, ResourceName, StorageName } from '../charm-types.ts';
import {
  CloudAccessError,
  type CloudSpec,
  credentialGet,
  relationIds,
  resourceGet,
  type SecretKey,
  storageAdd,
  storageList,
} from '../hook-tools/index.ts';
import type { Application } from './application.ts';
import { Config } from './config.ts';
import { Entities } from './entities.ts';
import { TooManyRelationsError, UndeclaredNameError } from './errors.ts';
import { Relation } from './relation.ts';
import { Secret } from './secret.ts';
import type { Session } from './session.ts';
import { Storage } from './storage.ts';
import type { Unit } from './unit.ts';

export class Model<out T extends CharmTypes = CharmTypes> {
  readonly name: string;
  readonly uuid: string;
  /** The charm's own application. */
  readonly app: Application;
  /** The unit the charm runs in. */
  readonly unit: Unit<T>;
  readonly config: Config<T>;
  readonly #session: Session;
  readonly #entities: Entities;
  readonly #relations = new Map<number, Relation>();
  readonly #ids = new Map<string, readonly number[]>();
  #cloudSpec: CloudSpec | undefined;

  constructor(session: Session) {
    const { context } = session;
    this.#session = session;
    this.#entities = new Entities(session);
    this.name = context.modelName;
    this.uuid = context.modelUuid;
    this.app = this.#entities.application(context.appName);
    this.unit = this.#entities.unit(context.unitName) as unknown as Unit<T>;
    this.config = new Config(session);
  }

  /**
   * Relations of an endpoint by ascending id; without the one whose broken event this is.
   * @throws UndeclaredNameError
   */
  relations(endpoint: EndpointName<T>): readonly Relation[] {
    return this.#relationIds(endpoint)
      .map((id) => this.#relation(endpoint, id))
      .filter((relation) => relation.isActive);
  }

  /**
   * The relation of an endpoint, if there is one.
   * @throws TooManyRelationsError when there are several.
   */
  getRelation(endpoint: EndpointName<T>): Relation | undefined {
    const relations = this.relations(endpoint);
    if (relations.length > 1) {
      throw new TooManyRelationsError(endpoint, relations.length);
    }
    return relations[0];
  }

  /** A relation of any endpoint; also the one whose broken event this is. */
  relationById(id: number): Relation | undefined {
    const known = this.#relations.get(id);
    if (known !== undefined) {
      return known;
    }
    const { context, meta } = this.#session;
    if (context.relationId === id && context.relationName !== undefined) {
      return this.#relation(context.relationName, id);
    }
    const endpoint = [...meta.endpoints.keys()].find((name) =>
      this.#relationIds(name).includes(id),
    );
    return endpoint === undefined ? undefined : this.#relation(endpoint, id);
  }

  /**
   * The relation of an event that was deferred. Where it is gone: an inactive one without data, with
   * the application `lastKnown` tells, or none without that.
   */
  relationOfPast(
    key: { readonly endpoint: string; readonly id: number },
    lastKnown: { readonly remoteApp?: string | undefined } | undefined,
  ): Relation | undefined {
    const { context } = this.#session;
    const { endpoint, id } = key;
    const isThisEvents = context.relationId === id && context.relationName === endpoint;
    if (isThisEvents || this.#relationIds(endpoint).includes(id)) {
      return this.#relation(endpoint, id);
    }
    return lastKnown === undefined
      ? undefined
      : new Relation(this.#session, this.#entities, key, lastKnown.remoteApp ?? context.appName);
  }

  /**
   * A secret by id, by label, or by id while giving it a label; its content is read at once.
   * @throws SecretNotFoundError, SecretPermissionError
   */
  getSecret(key: SecretKey): Secret {
    const secret = new Secret(this.#session, key);
    secret.getContent();
    return secret;
  }

  /** The attached storages of a name. @throws UndeclaredNameError */
  storages(name: StorageName<T>): readonly Storage[] {
    this.#requireStorage(name);
    return storageList(this.#session.tools, name).map((id) => new Storage(this.#session, id));
  }

  /**
   * Asks Juju for more instances of a storage declared with `multiple`, when this dispatch has
   * succeeded. Each is attached in an event of its own; model.storages() does not show them before.
   * @throws UndeclaredNameError, HintError for a count that is none.
   */
  requestStorage(name: StorageName<T>, count = 1): void {
    this.#requireStorage(name);
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new HintError(`cannot request ${count} instances of storage "${name}"`, {
        code: 'invalid-storage-count',
        hint: 'use a whole number from 1',
      });
    }
    storageAdd(this.#session.tools, { [name]: count });
  }

  /**
   * The cloud the model is in, with the credential Juju uses there: secret.
   * @throws CloudAccessError unless the application is trusted.
   */
  cloudSpec(): CloudSpec {
    this.#cloudSpec ??= this.#readCloudSpec();
    return this.#cloudSpec;
  }

  /** Path of a file resource on this machine; the first call downloads it. */
  resourcePath(name: ResourceName<T>): string {
    const { resources } = this.#session.meta;
    if (!resources.includes(name)) {
      throw new UndeclaredNameError('resource', name, resources);
    }
    return resourceGet(this.#session.tools, name);
  }

  /** The application of a name, to read its data in a relation. */
  application(name: string): Application {
    return this.#entities.application(name);
  }

  /** The unit of a name, to read its data in a relation. */
  getUnit(name: string): Unit {
    return this.#entities.unit(name);
  }

  #requireStorage(name: string): void {
    const { storages } = this.#session.meta;
    if (!storages.has(name)) {
      throw new UndeclaredNameError('storage', name, storages.keys());
    }
  }

  #readCloudSpec(): CloudSpec {
    try {
      return Object.freeze(credentialGet(this.#session.tools));
    } catch (error) {
      if (!(error instanceof CloudAccessError)) {
        throw error;
      }
      const { tool, args, exitCode, stderr } = error;
      const hint = `trust the application with "juju trust ${this.app.name}"`;
      throw new CloudAccessError({ tool, args, exitCode, stderr, hint, cause: error });
    }
  }

  #relationIds(endpoint: string): readonly number[] {
    const { endpoints } = this.#session.meta;
    if (!endpoints.has(endpoint)) {
      throw new UndeclaredNameError('endpoint', endpoint, endpoints.keys());
    }
    const ids = this.#ids.get(endpoint) ?? relationIds(this.#session.tools, endpoint);
    this.#ids.set(endpoint, ids);
    return ids;
  }

  #relation(endpoint: string, id: number): Relation {
    const known =
      this.#relations.get(id) ?? new Relation(this.#session, this.#entities, { endpoint, id });
    this.#relations.set(id, known);
    return known;
  }
}
