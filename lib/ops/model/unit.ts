/** A unit: the charm's own, a peer, or one at the other end of a relation. */
import { HintError } from '#system';
import type { BindingName, CharmTypes } from '../charm-types.ts';
import { DispatchEnd } from '../dispatch-end.ts';
import {
  applicationVersionSet,
  jujuReboot,
  type RelationKey,
  type SecretContent,
  type SecretMetadata,
} from '../hook-tools/index.ts';
import type { Application } from './application.ts';
import { type Network, readNetwork } from './network.ts';
import { type Port, type PortLike, Ports } from './port.ts';
import { addSecret, type Secret } from './secret.ts';
import type { Session } from './session.ts';
import { type SettableStatus, type Status, UnknownStatus } from './status.ts';
import { StatusSlot } from './status-slot.ts';

export class Unit<out T extends CharmTypes = CharmTypes> {
  readonly kind = 'unit';
  readonly name: string;
  readonly app: Application;
  readonly #session: Session;
  readonly #status: StatusSlot;
  readonly #ports: Ports;

  constructor(session: Session, name: string, app: Application) {
    this.#session = session;
    this.name = name;
    this.app = app;
    this.#status = new StatusSlot(session, { application: false });
    this.#ports = new Ports(session);
  }

  /** Whether the charm runs in this unit. */
  get isOwn(): boolean {
    return this.name === this.#session.context.unitName;
  }

  /** Whether this unit leads its application; only the own unit can tell. */
  isLeader(): boolean {
    this.#requireOwn('tell whether it leads');
    return this.#session.isLeader();
  }

  /** Unknown for other units. */
  get status(): Status {
    return this.isOwn ? this.#status.get() : new UnknownStatus();
  }

  set status(status: SettableStatus) {
    this.#requireOwn('set its status');
    this.#status.set(status);
  }

  /** What `juju status` shows as the version of the workload. */
  setWorkloadVersion(version: string): void {
    this.#requireOwn('set its workload version');
    applicationVersionSet(this.#session.tools, version);
  }

  openedPorts(): readonly Port[] {
    this.#requireOwn('list its ports');
    return this.#ports.list();
  }

  openPort(port: PortLike): void {
    this.#requireOwn('open a port');
    this.#ports.open(port);
  }

  closePort(port: PortLike): void {
    this.#requireOwn('close a port');
    this.#ports.close(port);
  }

  /** Makes the opened ports exactly these: opens what is missing, closes the rest. */
  setPorts(...ports: readonly PortLike[]): void {
    this.#requireOwn('set its ports');
    this.#ports.setAll(ports);
  }

  /** A secret only this unit may read and change. */
  addSecret(content: SecretContent, options: SecretMetadata = {}): Secret {
    this.#requireOwn('add a secret');
    return addSecret(this.#session, 'unit', { ...options, content });
  }

  /**
   * Addresses of a binding (an endpoint, or a name of `extra-bindings`), or of one relation: those
   * its other end is to use, which differ in relations across models.
   */
  networkGet(of: BindingName<T> | RelationKey): Network {
    this.#requireOwn('read its network');
    return readNetwork(this.#session, of);
  }

  /**
   * Has Juju reboot the machine when this dispatch has succeeded; with `now` at once: nothing after
   * the call runs, Juju drops what was changed and runs the same hook again after the reboot.
   * @throws HintError in an action, where Juju refuses it.
   */
  reboot(options: { readonly now: true }): never;
  reboot(options?: { readonly now?: boolean }): void;
  reboot(options: { readonly now?: boolean } = {}): void {
    this.#requireOwn('reboot its machine');
    if (this.#session.context.actionName !== undefined) {
      throw new HintError('cannot reboot the machine: Juju does not in actions', {
        code: 'reboot-in-action',
        hint: 'let the action set something that the next hook acts on',
      });
    }
    const now = options.now === true;
    jujuReboot(this.#session.tools, { now });
    if (now) {
      // Juju kills the process; until then nothing more may happen.
      throw new DispatchEnd('the machine is to be rebooted now');
    }
  }

  toString(): string {
    return this.name;
  }

  #requireOwn(operation: string): void {
    if (!this.isOwn) {
      throw new HintError(
        `unit ${this.name} cannot ${operation}: this is ${this.#session.context.unitName}`,
        { code: 'not-own-unit', hint: 'use charm.unit' },
      );
    }
  }
}
