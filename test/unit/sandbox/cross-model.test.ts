import { describe, expect, test } from '@jest/globals';
import type { ConsumerState, OfferingState } from '../../../lib/sandbox/api-cross-model.ts';
import type { CallContext } from '../../../lib/sandbox/daemon/calls/call-context.ts';
import { consume, offer, suspend } from '../../../lib/sandbox/daemon/calls/cross-model.ts';
import { integrate, removeRelation } from '../../../lib/sandbox/daemon/calls/relations.ts';
import { applyOffering, consumerState } from '../../../lib/sandbox/daemon/cross-model/consumer.ts';
import { applyConsumer, offeringState } from '../../../lib/sandbox/daemon/cross-model/offering.ts';
import { isCrossModel, sideOf } from '../../../lib/sandbox/model/cross-model.ts';
import { MODEL, type RelationDocument } from '../../../lib/sandbox/model/documents.ts';
import { destroyUnit } from '../../../lib/sandbox/model/removal.ts';
import type { Store } from '../../../lib/sandbox/store/store.ts';
import { array, assert, constantFrom, nat, property, tuple } from '../../helpers/fast-check.ts';
import { PlannerModel } from './planner-model.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const UUIDS = {
  consuming: '00000000-0000-4000-8000-00000000000c',
  offering: '00000000-0000-4000-8000-00000000000f',
};

function contextOf(store: Store): CallContext {
  const clock = { now: () => new Date(NOW), sleep: async () => Promise.resolve() };
  return { services: { store, clock } } as unknown as CallContext;
}

function aModel(name: keyof typeof UUIDS, application: string, units: number): PlannerModel {
  const model = new PlannerModel();
  model.store.transact((transaction) => {
    transaction.put('model', MODEL, {
      name,
      uuid: UUIDS[name],
      controllerName: 'ctrl',
      created: NOW,
      counters: { relation: 0, machine: 0, task: 1 },
      unitNumbers: {},
      charmRevisions: {},
      config: {},
    });
    transaction.put('charm', 'witness-0', {
      id: 'witness-0',
      revision: 0,
      metadata: {
        name: 'witness',
        summary: '',
        subordinate: false,
        endpoints: {
          serves: { name: 'serves', role: 'provider', interface: 'i', scope: 'global' },
          wants: { name: 'wants', role: 'requirer', interface: 'i', scope: 'global' },
        },
        extraBindings: [],
        options: {},
        actions: {},
        resources: {},
        storage: {},
        assumes: [],
      },
    });
  });
  model.application(application, units);
  return model;
}

/** Two models, and the messages between them, which may be late but come in their order. */
class Pair {
  readonly consuming = aModel('consuming', 'mine', 2);
  readonly offering = aModel('offering', 'theirs', 2);
  /** Tokens of relations somebody removed. */
  readonly removed = new Set<string>();
  #told: ConsumerState | undefined;
  #heard: OfferingState | undefined;
  #values = 0;

  constructor() {
    const there = contextOf(this.offering.store);
    offer(there, { application: 'theirs', endpoints: ['serves'], name: 'theirs' });
    const { uuid, name } = this.offering.store.require('offer', 'theirs');
    consume(contextOf(this.consuming.store), {
      offer: {
        name,
        uuid,
        endpoints: [{ name: 'serves', role: 'provider', interface: 'i' }],
      },
      model: { uuid: UUIDS.offering, name: 'offering' },
    });
    this.consuming.settleAll();
    this.offering.settleAll();
  }

  /** Keeps a message back, or delivers the one kept. */
  tell(): void {
    const state = this.#told;
    this.#told = undefined;
    if (state === undefined) {
      this.#told = consumerState(this.consuming.store, UUIDS.offering);
    } else {
      this.offering.store.transact((transaction) => {
        applyConsumer(transaction, state);
      });
    }
  }

  hear(): void {
    const state = this.#heard;
    this.#heard = undefined;
    if (state === undefined) {
      this.#heard = offeringState(this.offering.store, UUIDS.consuming);
    } else {
      this.consuming.store.transact((transaction) => {
        applyOffering(transaction, UUIDS.offering, state, NOW);
      });
    }
  }

  /** What people and charms do; what cannot be done now is left alone. */
  act(kind: Act, choice: number): void {
    const side = choice % 2 === 0 ? this.consuming : this.offering;
    const application = choice % 2 === 0 ? 'mine' : 'theirs';
    const unit = `${application}/${Math.floor(choice / 2) % 2}`;
    const relation = side.store.all('relation').find(({ life }) => life === 'alive');
    ACTS[kind](this, { side, unit, writer: choice > 5 ? application : unit, relation });
  }

  nextValue(): string {
    this.#values += 1;
    return String(this.#values);
  }

  /** Everything is delivered, and everybody has done what there is to do. */
  settle(): void {
    this.tell();
    this.hear();
    for (let round = 0; round < 12; round += 1) {
      this.tell();
      this.hear();
      this.consuming.settleAll();
      this.offering.settleAll();
    }
  }
}

interface Place {
  readonly side: PlannerModel;
  readonly unit: string;
  /** The unit or its application. */
  readonly writer: string;
  readonly relation: RelationDocument | undefined;
}

const ACTS = {
  tell: (pair: Pair) => pair.tell(),
  hear: (pair: Pair) => pair.hear(),
  step: (_: Pair, { side, unit }: Place) => void side.step(unit),
  integrate: ({ consuming: { store } }: Pair) => {
    if (store.all('relation').length === 0) {
      integrate(contextOf(store), { endpoints: ['mine', 'theirs'] });
    }
  },
  write: (pair: Pair, { side, unit, writer, relation }: Place) => {
    if (relation !== undefined && side.store.get('bag', `${relation.id}/${unit}`)) {
      side.write(relation.id, writer, pair.nextValue());
    }
  },
  'remove-relation': ({ removed }: Pair, { side, relation }: Place) => {
    if (relation?.crossModel !== undefined) {
      removed.add(relation.crossModel.token);
      removeRelation(contextOf(side.store), { id: relation.id });
    }
  },
  'remove-unit': (_: Pair, { side, unit }: Place) => {
    side.store.transact((transaction) => {
      if (unit.endsWith('/1') && transaction.get('unit', unit) !== undefined) {
        destroyUnit(transaction, unit);
      }
    });
  },
  suspend: ({ offering: { store } }: Pair) => {
    const [theirs] = store.all('relation');
    if (theirs?.life === 'alive') {
      const suspended = theirs.suspended === undefined;
      suspend(contextOf(store), { relation: theirs.id, suspended });
    }
  },
};

type Act = keyof typeof ACTS;

/** What one side believes of the other: bags by unit number, those of units that left aside. */
function viewsOf({ store }: PlannerModel, application: (remote: string) => string) {
  return Object.fromEntries(
    store
      .all('relation')
      .filter(isCrossModel)
      .map((relation) => {
        const { token, remote } = relation.crossModel;
        const name = application(remote);
        const bags = store
          .within('bag', String(relation.id))
          .filter(({ entity, inScope }) =>
            entity.includes('/') ? inScope && entity.startsWith(`${name}/`) : entity === name,
          )
          .map(({ entity, data }) => [entity.replace(name, ''), data]);
        return [token, { ...Object.fromEntries(bags), life: relation.life }];
      }),
  );
}

describe('two models with a relation between them', () => {
  test('agree in the end, whatever is done in which order and however late they hear of it', () => {
    assert(
      property(
        array(tuple(constantFrom(...(Object.keys(ACTS) as Act[])), nat(7)), {
          minLength: 20,
          maxLength: 120,
          size: 'max',
        }),
        (acts) => {
          const pair = new Pair();
          for (const [kind, choice] of acts) {
            pair.act(kind, choice);
          }
          pair.settle();
          const { consuming, offering } = pair;
          expect(viewsOf(offering, () => 'theirs')).toEqual(viewsOf(consuming, (name) => name));
          expect(viewsOf(consuming, () => 'mine')).toEqual(viewsOf(offering, (name) => name));
          for (const { store } of [consuming, offering]) {
            const relations = store.all('relation').filter(isCrossModel);
            expect(relations.filter(({ life }) => life === 'dying')).toEqual([]);
            // Not even the side that had not heard of it keeps or makes it anew.
            const back = relations.filter(({ crossModel }) => pair.removed.has(crossModel.token));
            expect(back).toEqual([]);
          }
          const used = offering.store.all('relation').length > 0;
          expect(offering.store.all('remote')).toHaveLength(used ? 1 : 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a relation removed before the other side has anybody in it stays removed', () => {
    const pair = new Pair();
    pair.act('integrate', 0);
    pair.tell();
    pair.tell();
    pair.act('remove-relation', 1);
    expect(pair.removed.size).toBe(1);
    pair.settle();
    expect(pair.offering.store.all('relation')).toEqual([]);
    expect(pair.consuming.store.all('relation')).toEqual([]);
  });

  test('a side that says the same again changes nothing', () => {
    const pair = new Pair();
    pair.act('integrate', 0);
    pair.settle();
    let commits = 0;
    for (const { store } of [pair.consuming, pair.offering]) {
      store.onCommit(() => {
        commits += 1;
      });
    }
    pair.settle();
    expect(commits).toBe(0);
    const [relation] = pair.offering.store.all('relation').filter(isCrossModel);
    expect(relation && Object.keys(sideOf(pair.offering.store, relation).units)).toEqual([
      '0',
      '1',
    ]);
  });
});
