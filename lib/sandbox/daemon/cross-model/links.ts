/**
 * Keeps the two sides of relations between models alike: the consuming model tells the offering one what
 * it is whenever that changes, and listens to what the other says of itself. Both are whole states, told
 * anew after every interruption, so that either daemon may be killed at any instant.
 */
import { hasErrorCode, systemClock } from '#system';
import type { ModelIdentity } from '../../api-cross-model.ts';
import { callDaemon, streamFromDaemon } from '../../client/client.ts';
import { isBootstrapped, startDaemon } from '../../client/daemon-control.ts';
import { controllerRootOf, modelRootIn } from '../../client/models.ts';
import type { Store } from '../../store/store.ts';
import { applyOffering, consumerState, NOTHING_OFFERED } from './consumer.ts';

const RETRY_MS = 200;
// The other daemon is on this machine; one that does not answer is frozen, and finds out later.
const FAREWELL_MS = 2_000;

export interface LinkServices {
  readonly store: Store;
  readonly root: string;
  readonly now: () => Date;
  readonly onDefect: (error: unknown) => void;
}

export class CrossModelLinks {
  readonly #services: LinkServices;
  readonly #links = new Map<string, Link>();
  #isStopped = false;

  constructor(services: LinkServices) {
    this.#services = services;
  }

  /** Begins to follow the models whose offers are consumed here, and wakes those related with this one. */
  start(): void {
    const { store } = this.#services;
    store.onCommit(() => {
      this.#follow();
    });
    this.#follow();
    const neighbours = new Map(store.all('remote').map(({ model }) => [model.name, model]));
    for (const { name } of neighbours.values()) {
      const root = modelRootIn(controllerRootOf(this.#services.root), name);
      if (root !== this.#services.root && isBootstrapped(root)) {
        startDaemon(root).catch(this.#services.onDefect);
      }
    }
  }

  /** The last word of this model: whatever was related with it is not any more. */
  async farewell(): Promise<void> {
    this.stop();
    const told = Promise.all([...this.#links.values()].map(async (link) => link.farewell()));
    await Promise.race([told, systemClock.sleep(FAREWELL_MS)]);
  }

  stop(): void {
    this.#isStopped = true;
    for (const link of this.#links.values()) {
      link.stop();
    }
  }

  #follow(): void {
    if (this.#isStopped) {
      return;
    }
    for (const { kind, model } of this.#services.store.all('remote')) {
      if (kind === 'saas' && !this.#links.has(model.uuid)) {
        const link = new Link(this.#services, model);
        this.#links.set(model.uuid, link);
        link.run().catch(this.#services.onDefect);
      }
    }
    for (const link of this.#links.values()) {
      link.wake();
    }
  }
}

/** To one offering model. */
class Link {
  readonly #services: LinkServices;
  readonly #model: ModelIdentity;
  readonly #stopped = new AbortController();
  #told = '';
  #wake: () => void = () => undefined;

  constructor(services: LinkServices, model: ModelIdentity) {
    this.#services = services;
    this.#model = model;
  }

  async run(): Promise<void> {
    await Promise.all([this.#listen(), this.#tell()]);
  }

  wake(): void {
    this.#wake();
  }

  stop(): void {
    this.#stopped.abort();
    this.#wake();
  }

  async farewell(): Promise<void> {
    const { model } = consumerState(this.#services.store, this.#model.uuid);
    try {
      await this.#publish({ model, relations: [], secrets: {} });
    } catch (error) {
      // It finds out by itself where this model was, if it is only down.
      if (!isAway(error)) {
        throw error;
      }
    }
  }

  get #root(): string {
    return modelRootIn(controllerRootOf(this.#services.root), this.#model.name);
  }

  async #publish(state: ReturnType<typeof consumerState>): Promise<void> {
    await callDaemon(this.#root, 'cross-model-tell', { to: this.#model.uuid, state });
  }

  async #tell(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const state = consumerState(this.#services.store, this.#model.uuid);
      const text = JSON.stringify(state);
      if (text === this.#told) {
        await changed;
        continue;
      }
      try {
        await this.#publish(state);
        this.#told = text;
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const params = { to: this.#model.uuid, consumer: this.#consumer() };
        for await (const state of streamFromDaemon(this.#root, 'cross-model-listen', params, {
          signal,
        })) {
          this.#apply(state);
        }
      } catch (error) {
        // It may have come back with less than it had been told.
        this.#told = '';
        await this.#failed(error);
      }
    }
  }

  #consumer(): string {
    return consumerState(this.#services.store, this.#model.uuid).model.uuid;
  }

  #apply(state: typeof NOTHING_OFFERED): void {
    const { store, now } = this.#services;
    store.transact((transaction) => {
      applyOffering(transaction, this.#model.uuid, state, now().toISOString());
    });
  }

  /** A model that is gone leaves nothing; one that is down is asked again. */
  async #failed(error: unknown): Promise<void> {
    if (this.#stopped.signal.aborted) {
      return;
    }
    if (hasErrorCode(error, 'not-found')) {
      this.#apply(NOTHING_OFFERED);
      this.stop();
    } else if (isAway(error)) {
      await systemClock.sleep(RETRY_MS);
      this.#wake();
    } else {
      this.#services.onDefect(error);
      await systemClock.sleep(RETRY_MS);
    }
  }
}

function isAway(error: unknown): boolean {
  return hasErrorCode(error, 'daemon-down') || hasErrorCode(error, 'not-found');
}
