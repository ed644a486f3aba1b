/** Keeps one agent for every unit of the model. */
import { buryUnit } from '../agent/bury-unit.ts';
import type { Commands } from '../agent/command-operation.ts';
import { killNotedProcess } from '../agent/orphans.ts';
import type { AgentServices } from '../agent/services.ts';
import { UnitAgent } from '../agent/unit-agent.ts';
import { unitDirectory } from '../agent/unit-directory.ts';
import type { UnitDocument } from '../model/documents.ts';
import { type ConcernedUnits, concernedUnits } from './concerned-units.ts';

export class Agents {
  readonly #services: AgentServices;
  readonly #agents = new Map<
    string,
    { readonly agent: UnitAgent; readonly ended: Promise<unknown> }
  >();
  #isStopping = false;

  constructor(services: AgentServices) {
    this.#services = services;
    services.store.onCommit((changes) => {
      this.#notice(concernedUnits(services.store, changes));
    });
  }

  /** Starts agents for the units there are. */
  start(): void {
    this.#notice('all');
  }

  /** @returns false when there is no such unit. */
  enqueue(unit: string, commands: Commands): boolean {
    const entry = this.#agents.get(unit);
    entry?.agent.enqueue(commands);
    return entry !== undefined;
  }

  /** Ends the agent of a unit with what it runs; it begins again when the unit says so. */
  async stopAgent(unit: string): Promise<void> {
    const entry = this.#agents.get(unit);
    entry?.agent.stop();
    killNotedProcess(unitDirectory(this.#services.paths, unit));
    await entry?.ended;
  }

  /** Removes a unit whose time is over: an agent that hangs in an operation is stopped, one that is lost is not waited for. */
  async bury({ name, machine }: Pick<UnitDocument, 'name' | 'machine'>): Promise<void> {
    if (this.#agents.has(name)) {
      // It begins again, and finds the unit dead.
      await this.stopAgent(name);
    } else {
      await buryUnit(this.#services, { unit: name, machine });
    }
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

  #notice(concerned: ConcernedUnits): void {
    const names =
      concerned === 'all' ? this.#services.store.all('unit').map(({ name }) => name) : concerned;
    for (const name of names) {
      const entry = this.#agents.get(name);
      if (entry !== undefined) {
        entry.agent.wake();
      } else if (!this.#isStopping && this.#mayRun(name)) {
        this.#begin(name);
      }
    }
  }

  #forget(unit: string): boolean {
    const known = this.#agents.delete(unit);
    // It may have been started again while it ended.
    this.#notice(new Set([unit]));
    return known;
  }

  #mayRun(name: string): boolean {
    const unit = this.#services.store.get('unit', name);
    return unit !== undefined && unit.agentStoppedAt === undefined;
  }

  #begin(unit: string): void {
    const agent = new UnitAgent(this.#services, unit);
    // Not before the agent is in the map: it may commit at once, and commits are noticed here.
    const started = Promise.resolve().then(async () => agent.run());
    const ended: Promise<unknown> = started.then(
      () => this.#forget(unit),
      (error: unknown) => {
        // The unit stays, without an agent, until the daemon is started again.
        this.#services.onDefect(error);
      },
    );
    this.#agents.set(unit, { agent, ended });
  }
}
