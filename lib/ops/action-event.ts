/** An action an administrator runs. */
import { flattenResults } from './action-results.ts';
import type { ActionTypes } from './charm-types.ts';
import { type DataModel, DataModelError } from './data-model/index.ts';
import { DispatchEnd } from './dispatch-end.ts';
import { HookEvent } from './events.ts';
import {
  actionFail,
  actionGet,
  actionLog,
  actionSet,
  type HookToolRunner,
} from './hook-tools/index.ts';

// All arguments of one call together must stay well below Linux's limit of 2 MiB.
const MAX_CALL_BYTES = 512 * 1024;

/**
 * One run of an action. Params and results are typed where `ops-types` wrote the charm's types:
 * `ActionEvent<GreeterTypes['actions']['greet']>`.
 */
export class ActionEvent<T extends ActionTypes = ActionTypes> extends HookEvent {
  /** Id of the task, as `juju show-task` takes it. */
  readonly id: string;
  readonly #tools: HookToolRunner;
  #params: T['params'] | undefined;
  #failure: string | undefined;

  /** `name` is the action's. */
  constructor(tools: HookToolRunner, name: string, id: string) {
    super(name);
    this.#tools = tools;
    this.id = id;
  }

  /** With the defaults of actions.yaml, validated by Juju against its schema. */
  get params(): T['params'] {
    this.#params ??= Object.freeze(actionGet(this.#tools));
    return this.#params;
  }

  /**
   * The params a data model names, checked by its schema. What does not fit throws; with
   * `errors: 'fail'` the action fails with the reason instead and the dispatch ends with success:
   * nothing after the call runs.
   * @throws DataModelError
   */
  async loadParams<D extends object>(
    model: DataModel<D>,
    options: { readonly errors?: 'raise' | 'fail' } = {},
  ): Promise<D> {
    try {
      return await model.fromValues(this.params, `the params of action ${this.name}`);
    } catch (error) {
      if (options.errors !== 'fail' || !(error instanceof DataModelError)) {
        throw error;
      }
      const message = `invalid params: ${error.summary}`;
      this.fail(message);
      throw new DispatchEnd(message);
    }
  }

  /** Shows a line to whoever waits for the action. */
  log(message: string): void {
    actionLog(this.#tools, message);
  }

  /**
   * Merges results, nested as they are. Keys: lower-case letters, digits and dashes.
   * Results travel as arguments of a process and are shown to the administrator.
   * @throws HintError before anything is set, when a key or value cannot be a result.
   */
  setResults(results: T['results']): void {
    for (const batch of batches(flattenResults(results))) {
      actionSet(this.#tools, batch);
    }
  }

  /** Marks the action as failed; changes made so far are kept. The handler goes on. */
  fail(message?: string): void {
    actionFail(this.#tools, message);
    this.#failure = message ?? '';
  }

  /** Whether fail() was called. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }
}

function* batches(results: Readonly<Record<string, string>>): Generator<Record<string, string>> {
  let batch: Record<string, string> = {};
  let bytes = 0;
  for (const [key, value] of Object.entries(results)) {
    const size = Buffer.byteLength(key) + Buffer.byteLength(value) + 2;
    if (bytes > 0 && bytes + size > MAX_CALL_BYTES) {
      yield batch;
      batch = {};
      bytes = 0;
    }
    batch[key] = value;
    bytes += size;
  }
  if (bytes > 0) {
    yield batch;
  }
}
