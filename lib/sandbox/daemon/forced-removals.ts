/** Removes units that were forced to go and did not: their agent is lost, or hangs in a hook. */
import type { AgentServices } from '../agent/services.ts';
import type { UnitDocument } from '../model/documents.ts';
import type { Change } from '../store/store.ts';
import type { Agents } from './agents.ts';

type Forced = UnitDocument & Required<Pick<UnitDocument, 'forced'>>;

export class ForcedRemovals {
  readonly #services: Pick<AgentServices, 'clock' | 'onDefect' | 'store'>;
  readonly #agents: Pick<Agents, 'bury'>;
  readonly #burying = new Set<string>();
  #timer = new AbortController();
  #unsubscribe: () => void = () => undefined;

  constructor(
    services: Pick<AgentServices, 'clock' | 'onDefect' | 'store'>,
    agents: Pick<Agents, 'bury'>,
  ) {
    this.#services = services;
    this.#agents = agents;
  }

  start(): void {
    this.#unsubscribe = this.#services.store.onCommit((changes) => {
      if (changes.some(concernsForced)) {
        this.#look();
      }
    });
    this.#look();
  }

  stop(): void {
    this.#unsubscribe();
    this.#timer.abort();
  }

  /** Removes whose time has come, and comes back when that of the next one has. */
  #look(): void {
    this.#timer.abort();
    const { store, clock, onDefect } = this.#services;
    const waiting = store
      .all('unit')
      .filter((unit): unit is Forced => unit.forced !== undefined && !this.#burying.has(unit.name));
    const now = clock.now().toISOString();
    for (const unit of waiting.filter(({ forced }) => forced.goneAt <= now)) {
      this.#burying.add(unit.name);
      // Not at once: this is called in the middle of a commit.
      Promise.resolve()
        .then(async () => this.#agents.bury(unit))
        .catch(onDefect)
        .finally(() => this.#burying.delete(unit.name));
    }
    const [next] = waiting
      .map(({ forced }) => forced.goneAt)
      .filter((at) => at > now)
      .toSorted();
    if (next !== undefined) {
      this.#timer = new AbortController();
      clock.sleep(Date.parse(next) - clock.now().getTime(), this.#timer.signal).then(
        () => this.#look(),
        () => undefined,
      );
    }
  }
}

/** That one is forced, or that the clock was moved. */
function concernsForced({ kind, after }: Change): boolean {
  return kind === 'model' || (kind === 'unit' && after !== undefined && 'forced' in after);
}
