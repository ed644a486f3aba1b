/**
 * What the hook tools of one running hook, action or juju-exec see and write: committed state, with
 * the hook's own writes kept apart until it succeeds.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '#system';
import type { SandboxPaths } from '../client/paths.ts';
import { ModelError } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import type { MachineFiles } from '../machines/machine-files.ts';
import type { MachineHost } from '../machines/machine-host.ts';
import type {
  PortRange,
  RelationDocument,
  SecretDocument,
  UnitDocument,
} from '../model/documents.ts';
import type { HookInfo } from '../model/hook-info.ts';
import { applicationOf, compareUnits } from '../model/names.ts';
import { endpointOf, NOTHING_SEEN } from '../model/relations.ts';
import type { DebugLog } from '../store/debug-log.ts';
import type { Store, Transaction } from '../store/store.ts';
import { ActionResults } from './action-results.ts';
import { PendingBags } from './pending-bags.ts';
import { PendingPorts } from './pending-ports.ts';
import { PendingSecrets } from './pending-secrets.ts';
import { PendingStorage } from './pending-storage.ts';

export interface ContextServices {
  readonly paths: SandboxPaths;
  readonly store: Store;
  /** Where the processes of units run. */
  readonly machines: MachineHost;
  readonly log: DebugLog;
  readonly clock: Clock;
  /** Units whose next commit fails (`juju sandbox drop-commit`). */
  readonly failingCommits: Set<string>;
  /** The address of this host, and of machines that have none of their own. */
  readonly address: string;
}

/** The relation a context is about, with whom it is about in it. */
export interface ContextRelation {
  readonly id: number;
  readonly remoteApp: string;
  readonly remoteUnit?: string;
}

export interface ContextOptions {
  readonly unit: string;
  /** The middle of the context id: hook name, action name or `run-commands`. */
  readonly label: string;
  readonly hook?: HookInfo;
  /** The task an action runs for. */
  readonly task?: string;
  readonly isAction?: boolean;
  /** Parameters of the action, with defaults. */
  readonly params?: JsonRecord;
  readonly relation?: ContextRelation;
}

export class HookContext {
  /** Known to the hook alone, and so its password for the hook tools. */
  readonly id: string;
  readonly unit: string;
  readonly application: string;
  readonly hook: HookInfo | undefined;
  readonly task: string | undefined;
  readonly isAction: boolean;
  readonly params: JsonRecord;
  readonly label: string;
  readonly relation: ContextRelation | undefined;
  readonly services: ContextServices;
  readonly bags: PendingBags;
  readonly secrets: PendingSecrets;
  readonly ports: PendingPorts;
  readonly storage: PendingStorage;
  readonly results = new ActionResults();
  /** Undefined values delete. */
  readonly #state = new Map<string, string | undefined>();
  #notLeader = false;
  #wantsReboot = false;

  constructor(services: ContextServices, options: ContextOptions) {
    this.services = services;
    // 128 bits, so that nobody guesses the id of another context.
    this.id = `${options.unit}-${options.label}-${randomBytes(16).toString('hex')}`;
    this.unit = options.unit;
    this.application = applicationOf(options.unit);
    this.params = options.params ?? {};
    this.label = options.label;
    this.hook = options.hook;
    this.task = options.task;
    this.isAction = options.isAction ?? false;
    this.relation = options.relation ?? relationOf(options.hook);
    this.bags = new PendingBags(services.store);
    this.secrets = new PendingSecrets(services.store);
    this.ports = new PendingPorts(services.store, options.unit);
    this.storage = new PendingStorage(services.store, options.unit);
  }

  get store(): Store {
    return this.services.store;
  }

  /** Files as the charm sees them. */
  files(): MachineFiles {
    return this.services.machines.files(this.unitDocument().machine);
  }

  now(): string {
    return this.services.clock.now().toISOString();
  }

  unitDocument(): UnitDocument {
    return this.store.require('unit', this.unit);
  }

  /** Once false it stays false, so that a charm does not act on a leadership it may lose again. */
  isLeader(): boolean {
    this.#notLeader ||= this.store.get('application', this.application)?.leader !== this.unit;
    return !this.#notLeader;
  }

  /** The relation with this id, if the unit's application takes part in it. */
  findRelation(id: number): RelationDocument | undefined {
    const relation = this.store.get('relation', String(id));
    return relation !== undefined && endpointOf(relation, this.application) !== undefined
      ? relation
      : undefined;
  }

  /** Remote units this unit has been told of: joined, and not departed. */
  members(relation: number): readonly string[] {
    const memory = this.unitDocument().relations[String(relation)] ?? NOTHING_SEEN;
    const members = new Set(Object.keys(memory.members));
    const hook = this.hook;
    if (hook?.kind === 'relation' && hook.relation === relation && hook.remoteUnit !== undefined) {
      if (hook.step === 'joined') {
        members.add(hook.remoteUnit);
      }
      if (hook.step === 'departed') {
        members.delete(hook.remoteUnit);
      }
    }
    return [...members].toSorted(compareUnits);
  }

  readState(): Readonly<Record<string, string>> {
    const merged = { ...this.unitDocument().state };
    for (const [key, value] of this.#state) {
      if (value === undefined) {
        delete merged[key];
      } else {
        merged[key] = value;
      }
    }
    return merged;
  }

  writeState(key: string, value: string | undefined): void {
    this.#state.set(key, value);
  }

  /** Whether the machine is to be rebooted after this. */
  get wantsReboot(): boolean {
    return this.#wantsReboot;
  }

  requestReboot(): void {
    this.#wantsReboot = true;
  }

  openedPorts(): readonly PortRange[] {
    return this.ports.draft();
  }

  /** A secret as this hook sees it. */
  findSecret(id: string): SecretDocument | undefined {
    return this.secrets.draft(id);
  }

  writeLog(level: string, module: string, message: string): void {
    this.services.log.write({ unit: this.unit, level, module, message });
  }

  /** Commits everything this hook wrote, as part of `transaction`. @throws ModelError when it may not. */
  flush(transaction: Transaction): void {
    if (this.services.failingCommits.delete(this.unit)) {
      throw new ModelError('the commit was dropped by "juju sandbox drop-commit"');
    }
    this.#refuseAsNonLeader(transaction);
    this.#noteOwnWrites(transaction, this.bags.flush(transaction));
    this.secrets.flush(transaction);
    this.ports.flush(transaction);
    this.storage.flush(transaction, this.now());
    if (this.#state.size > 0) {
      transaction.patch('unit', this.unit, { state: this.readState() });
      this.#state.clear();
    }
  }

  #refuseAsNonLeader(transaction: Transaction): void {
    const writesApp = this.bags.written.some(({ entity }) => entity === this.application);
    if (writesApp && transaction.get('application', this.application)?.leader !== this.unit) {
      throw new ModelError('cannot write relation settings: this unit is not the leader');
    }
  }

  /** A unit hears nothing of what it wrote itself into the bag of its application. */
  #noteOwnWrites(
    transaction: Transaction,
    changed: readonly { readonly relation: number; readonly entity: string }[],
  ): void {
    for (const { relation, entity } of changed) {
      const version = transaction.get('bag', `${relation}/${entity}`)?.version ?? 0;
      const { relations } = transaction.require('unit', this.unit);
      const memory = relations[String(relation)] ?? NOTHING_SEEN;
      const isPeerWrite =
        entity === this.application &&
        transaction.get('relation', String(relation))?.endpoints.length === 1;
      if (isPeerWrite) {
        transaction.patch('unit', this.unit, {
          relations: { ...relations, [String(relation)]: { ...memory, appVersion: version } },
        });
      }
    }
  }
}

function relationOf(hook: HookInfo | undefined): ContextRelation | undefined {
  if (hook?.kind !== 'relation') {
    return undefined;
  }
  return {
    id: hook.relation,
    remoteApp: hook.remoteApp,
    ...(hook.remoteUnit === undefined ? {} : { remoteUnit: hook.remoteUnit }),
  };
}
