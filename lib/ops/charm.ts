/** What charms extend. */
import { CharmEvents } from './charm-events.ts';
import { CharmObject, type Framework } from './framework.ts';
import type { JujuContext } from './juju-context.ts';
import type { Logger } from './logger.ts';
import type { CharmMeta } from './meta.ts';
import type { Application } from './model/application.ts';
import type { Config } from './model/config.ts';
import type { Model } from './model/model.ts';
import type { Unit } from './model/unit.ts';

/** One object a dispatch: its constructor observes events, its handlers do the work. */
export abstract class CharmBase extends CharmObject {
  readonly on: CharmEvents;

  constructor(framework: Framework) {
    super(framework, 'charm');
    this.on = new CharmEvents(this);
  }

  get model(): Model {
    return this.framework.model;
  }

  /** The charm's own application. */
  get app(): Application {
    return this.framework.model.app;
  }

  /** The unit the charm runs in. */
  get unit(): Unit {
    return this.framework.model.unit;
  }

  get config(): Config {
    return this.framework.model.config;
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

export type CharmConstructor<C extends CharmBase = CharmBase> = new (framework: Framework) => C;
