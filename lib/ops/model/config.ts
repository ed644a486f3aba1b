/** The charm's configuration, read once when first asked for. */
import { HintError } from '#system';
import type {
  CharmTypes,
  NumberOption,
  OptionName,
  OptionValueOf,
  TextOption,
} from '../charm-types.ts';
import { type DataModel, DataModelError } from '../data-model/index.ts';
import { DispatchEnd } from '../dispatch-end.ts';
import { configGet, statusSet } from '../hook-tools/index.ts';
import type { OptionType, OptionValue } from '../meta.ts';
import { UndeclaredNameError } from './errors.ts';
import { Secret } from './secret.ts';
import type { Session } from './session.ts';

/** Options by name. Values include the defaults of the metadata; unset options are undefined. */
export class Config<out T extends CharmTypes = CharmTypes> {
  readonly #session: Session;
  #values: ReadonlyMap<string, OptionValue> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** @throws UndeclaredNameError */
  get<Name extends OptionName<T>>(name: Name): OptionValueOf<T, Name>;
  get(name: string): OptionValue | undefined {
    this.#declared(name);
    return this.#read().get(name);
  }

  /** A string option, or `fallback` when unset. @throws HintError when declared otherwise. */
  string<Name extends TextOption<T>>(name: Name): OptionValueOf<T, Name, string>;
  string(name: TextOption<T>, fallback: string): string;
  string(name: string, fallback?: string): string | undefined {
    const value = this.#typed(name, ['string', 'secret']);
    return typeof value === 'string' ? value : fallback;
  }

  /** An int option, or `fallback` when unset. @throws HintError when declared otherwise. */
  integer<Name extends T['optionNames']['int']>(name: Name): OptionValueOf<T, Name, number>;
  integer(name: T['optionNames']['int'], fallback: number): number;
  integer(name: string, fallback?: number): number | undefined {
    const value = this.#typed(name, ['int']);
    return typeof value === 'number' ? value : fallback;
  }

  /** An int or float option, or `fallback` when unset. @throws HintError when declared otherwise. */
  number<Name extends NumberOption<T>>(name: Name): OptionValueOf<T, Name, number>;
  number(name: NumberOption<T>, fallback: number): number;
  number(name: string, fallback?: number): number | undefined {
    const value = this.#typed(name, ['int', 'float']);
    return typeof value === 'number' ? value : fallback;
  }

  /** A boolean option, or `fallback` when unset. @throws HintError when declared otherwise. */
  boolean<Name extends T['optionNames']['boolean']>(name: Name): OptionValueOf<T, Name, boolean>;
  boolean(name: T['optionNames']['boolean'], fallback: boolean): boolean;
  boolean(name: string, fallback?: boolean): boolean | undefined {
    const value = this.#typed(name, ['boolean']);
    return typeof value === 'boolean' ? value : fallback;
  }

  /** The secret a secret option names; undefined when unset. Nothing is read from it yet. */
  secret(name: T['optionNames']['secret']): Secret | undefined {
    const id = this.#typed(name, ['secret']);
    return typeof id === 'string' && id !== '' ? new Secret(this.#session, { id }) : undefined;
  }

  /** All options that have a value. */
  entries(): Readonly<Record<string, OptionValue>> {
    return Object.freeze(Object.fromEntries(this.#read()));
  }

  /**
   * The options a data model names, checked by its schema; values of secret options are Secrets.
   * What does not fit throws; with `errors: 'blocked'` it becomes the status of the unit instead and
   * the dispatch ends with success: nothing after the call runs, and the event does not come again.
   * @throws DataModelError, UndeclaredNameError
   */
  async load<D extends object>(
    model: DataModel<D>,
    options: { readonly errors?: 'raise' | 'blocked' } = {},
  ): Promise<D> {
    const types = new Map(model.keys.map((key) => [key, this.#declared(key).type]));
    const subject = `the configuration of ${this.#session.context.appName}`;
    try {
      return await model.fromValues(this.entries(), subject, (value, key) =>
        types.get(key) === 'secret' ? new Secret(this.#session, { id: String(value) }) : value,
      );
    } catch (error) {
      if (options.errors !== 'blocked' || !(error instanceof DataModelError)) {
        throw error;
      }
      const message = `invalid config: ${error.summary}`;
      statusSet(this.#session.tools, { status: 'blocked', message }, { application: false });
      throw new DispatchEnd(message);
    }
  }

  #typed(name: string, types: readonly OptionType[]): OptionValue | undefined {
    const declared = this.#declared(name);
    if (!types.includes(declared.type)) {
      throw new HintError(
        `cannot read option "${name}" as ${types[0] ?? ''}: it is declared as ${declared.type}`,
        { code: 'wrong-option-type', hint: 'use the getter of the declared type' },
      );
    }
    return this.#read().get(name);
  }

  #declared(name: string) {
    const { options } = this.#session.meta;
    const option = options.get(name);
    if (option === undefined) {
      throw new UndeclaredNameError('option', name, options.keys());
    }
    return option;
  }

  #read(): ReadonlyMap<string, OptionValue> {
    this.#values ??= new Map(
      Object.entries(configGet(this.#session.tools)).filter(
        (entry): entry is [string, OptionValue] =>
          typeof entry[1] === 'string' ||
          typeof entry[1] === 'number' ||
          typeof entry[1] === 'boolean',
      ),
    );
    return this.#values;
  }
}
