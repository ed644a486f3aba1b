/** The order in which things happen. */
import { type Action, ASKED, DISTURBANCES, hasWorked } from './actions.ts';
import type { World } from './world.ts';

/**
 * What chance does, step by step. First every disturbance once (those that the next of their kind undoes, twice), in an order
 * of chance and each while something asked for is under way; then whatever chance draws.
 */
export class Chance {
  readonly #world: World;
  readonly #asked: Action[];
  readonly #deck: Action[];
  readonly #toggled = new Set<Action>();
  /** Actions that worked, by name. */
  readonly done = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    this.#asked = shuffled(world, ASKED);
    this.#deck = shuffled(world, DISTURBANCES);
  }

  /** Names of what has not been done so far. */
  get missing(): readonly string[] {
    return [...ASKED, ...DISTURBANCES]
      .map(({ name }) => name)
      .filter((name) => !this.done.has(name));
  }

  async step(): Promise<string> {
    const card = this.#deck.shift();
    if (card !== undefined) {
      return await this.#deal(card);
    }
    const world = this.#world;
    if (world.below(6) === 0) {
      const several = [draw(world, ASKED), draw(world, ASKED), draw(world, ASKED)];
      return (await Promise.all(several.map(async (one) => await this.#perform(one)))).join(' | ');
    }
    return await this.#perform(draw(world, [...ASKED, ...DISTURBANCES]));
  }

  async #deal(card: Action): Promise<string> {
    const said: string[] = [];
    if (card.isAlone !== true) {
      const asked = this.#asked.shift() ?? draw(this.#world, ASKED);
      said.push(await this.#perform(asked));
      if (!this.done.has(asked.name)) {
        // What it needs comes of something else.
        this.#asked.push(draw(this.#world, ASKED), asked);
      }
    }
    said.push(await this.#perform(card));
    if (!this.done.has(card.name)) {
      this.#deck.push(card);
    } else if (card.isToggle === true && !this.#toggled.has(card)) {
      this.#toggled.add(card);
      this.#deck.splice(this.#world.below(3), 0, card);
    }
    if (this.done.has(card.name)) {
      this.#hurry(card.undoneBy);
    }
    return said.join(', ');
  }

  #hurry(name: string | undefined): void {
    const at = this.#deck.findIndex((card) => card.name === name);
    this.#deck.splice(this.#world.below(3), 0, ...(at === -1 ? [] : this.#deck.splice(at, 1)));
  }

  async #perform(action: Action): Promise<string> {
    const said = await action.run(this.#world);
    if (hasWorked(said)) {
      this.done.add(action.name);
    }
    return `${action.name}: ${said}`;
  }
}

function shuffled(world: World, actions: readonly Action[]): Action[] {
  return actions
    .map((action) => ({ action, place: world.below(1_000_000) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ action }) => action);
}

function draw(world: World, actions: readonly Action[]): Action {
  let rest = world.below(actions.reduce((sum, { weight }) => sum + weight, 0));
  for (const action of actions) {
    rest -= action.weight;
    if (rest < 0) {
      return action;
    }
  }
  throw new Error('weights are positive');
}
