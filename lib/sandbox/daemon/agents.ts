/** Keeps one agent for every unit of the model. */
import type { Commands } from '../agent/command-operation.ts';
import type { AgentServices } from '../agent/services.ts';
import { UnitAgent } from '../agent/unit-agent.ts';

export class Agents {
  readonly #services: AgentServices;
  readonly #agents = new Map<
    string,
    { readonly agent: UnitAgent; readonly ended: Promise<unknown> }
  >();
  #isStopping = false;

  constructor(services: AgentServices) {
    this.#services = services;
    services.store.onCommit(() => {
      this.#notice();
    });
  }

  /** Starts agents for the units there are. */
  start(): void {
    this.#notice();
  }

  /** @returns false when there is no such unit. */
  enqueue(unit: string, commands: Commands): boolean {
    const entry = this.#agents.get(unit);
    entry?.agent.enqueue(commands);
    return entry !== undefined;
  }

  get count(): number {
    return this.#agents.size;
  }

  /** Lets running operations end, and begins no others. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const entries = [...this.#agents.values()];
    for (const { agent } of entries) {
      agent.stop();
    }
    await Promise.all(entries.map(({ ended }) => ended));
  }

  #notice(): void {
    if (!this.#isStopping) {
      for (const { name } of this.#services.store.all('unit')) {
        if (!this.#agents.has(name)) {
          this.#begin(name);
        }
      }
    }
    for (const { agent } of this.#agents.values()) {
      agent.wake();
    }
  }

  #begin(unit: string): void {
    const agent = new UnitAgent(this.#services, unit);
    // Not before the agent is in the map: it may commit at once, and commits are noticed here.
    const started = Promise.resolve().then(async () => agent.run());
    const ended: Promise<unknown> = started.then(
      () => this.#agents.delete(unit),
      (error: unknown) => {
        // The unit stays, without an agent, until the daemon is started again.
        this.#services.onDefect(error);
      },
    );
    this.#agents.set(unit, { agent, ended });
  }
}
