/** What charms extend. */
import { CharmEvents } from './charm-events.ts';
import type { CharmTypes } from './charm-types.ts';
import { CharmObject, type Framework } from './framework.ts';
import type { JujuContext } from './juju-context.ts';
import type { Logger } from './logger.ts';
import type { CharmMeta } from './meta.ts';
import type { Application } from './model/application.ts';
import type { Config } from './model/config.ts';
import type { Model } from './model/model.ts';
import type { Unit } from './model/unit.ts';

/**
 * One object a dispatch: its constructor observes events, its handlers do the work. With the types
 * `ops-types` wrote from the metadata, names that are not declared are compile errors.
 */
export abstract class CharmBase<out T extends CharmTypes = CharmTypes> extends CharmObject {
  readonly on: CharmEvents<T>;

  constructor(framework: Framework) {
    super(framework, 'charm');
    this.on = new CharmEvents(this);
  }

  get model(): Model<T> {
    // The types were written from the metadata the model was made with.
    return this.framework.model as unknown as Model<T>;
  }

  /** The charm's own application. */
  get app(): Application {
    return this.framework.model.app;
  }

  /** The unit the charm runs in. */
  get unit(): Unit<T> {
    return this.model.unit;
  }

  get config(): Config<T> {
    return this.model.config;
  }

  get meta(): CharmMeta {
    return this.framework.meta;
  }

  /** Absolute path of the unpacked charm. */
  get charmDir(): string {
    return this.framework.juju.charmDir;
  }

  get log(): Logger {
    return this.framework.log;
  }

  get juju(): JujuContext {
    return this.framework.juju;
  }
}

/** The types a charm class was given: `TypesOf<GreeterCharm>`. */
export type TypesOf<C> = C extends { readonly on: CharmEvents<infer T extends CharmTypes> }
  ? T
  : CharmTypes;

export type CharmConstructor<C extends CharmBase = CharmBase> = new (framework: Framework) => C;
