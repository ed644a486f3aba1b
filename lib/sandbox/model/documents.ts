/** What the store keeps: the committed state of the model, one immutable document a thing. */

import type { TaskStatus } from '../api-operations.ts';
import type { StatusInfo } from '../api-status.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import type { CharmMetadata } from './charm-metadata.ts';
import type {
  CrossModelLink,
  Life,
  OfferDocument,
  RemoteDocument,
} from './cross-model-documents.ts';
import type { HookInfo } from './hook-info.ts';

/** The one model. Its counters only grow, so that no id is ever used twice. */
interface ModelDocument {
  readonly name: string;
  readonly uuid: string;
  readonly controllerName: string;
  readonly created: string;
  /** Operations and tasks share one sequence. */
  readonly counters: {
    readonly relation: number;
    readonly machine: number;
    readonly task: number;
    /** Absent: none yet. Storage of all names shares one sequence. */
    readonly storage?: number;
    readonly filesystem?: number;
  };
  /** The next unit number of every application name ever used. */
  readonly unitNumbers: Readonly<Record<string, number>>;
  /** The next revision of every charm name ever deployed. */
  readonly charmRevisions: Readonly<Record<string, number>>;
  readonly config: JsonRecord;
  readonly constraints?: JsonRecord;
  /** How far `juju sandbox advance` has moved the clock. */
  readonly clockAheadMs?: number;
  /** Machines have namespaces of their own; absent: all are this host. */
  readonly isolation?: IsolationSettings;
}

/** How machines are made, as a trial at bootstrap found out. */
export interface IsolationSettings {
  /** Where the files that machines change are kept. */
  readonly layers: 'disk' | 'memory';
  readonly network: {
    /** Name of the bridge, at most 15 letters long: `jj` and six digits of the model. */
    readonly bridge: string;
    /** The first three numbers of all addresses; the host is `.1`. */
    readonly prefix: string;
    /** The interface this host sends to the outside with. */
    readonly uplink?: string;
  };
}

/** A machine, under its number. */
export interface MachineDocument {
  readonly id: string;
  readonly base: { readonly name: string; readonly channel: string };
  readonly hostname: string;
  /** Its own; absent where it has that of this host. */
  readonly address?: string;
  readonly life: Life;
  readonly created: string;
}

/** An unpacked charm, `name-revision`. */
interface CharmDocument {
  readonly id: string;
  readonly revision: number;
  readonly metadata: CharmMetadata;
}

export interface ApplicationDocument {
  readonly name: string;
  readonly charm: string;
  readonly base: { readonly name: string; readonly channel: string };
  readonly life: Life;
  readonly exposed: boolean;
  readonly trust: boolean;
  /** What the user set; defaults come from the charm. */
  readonly settings: JsonRecord;
  /** What they were when the charm was replaced, by the charms that units still have. */
  readonly formerSettings?: Readonly<Record<string, JsonRecord>>;
  /** Grows with every change of settings or trust. */
  readonly configVersion: number;
  /** Set by the leader; derived from the units until then. */
  readonly status?: StatusInfo;
  readonly leader?: string;
  readonly constraints?: JsonRecord;
  readonly leaderSettings: Readonly<Record<string, string>>;
  readonly leaderSettingsVersion: number;
  readonly created: string;
  /** Grows whenever charm or resources change; absent: they never have. */
  readonly charmVersion?: number;
  /** Units take the charm even while a hook of theirs has failed (`refresh --force-units`). */
  readonly forceCharm?: boolean;
  /** Content of the charm's resources, by name; absent where none was given. */
  readonly resources?: Readonly<Record<string, ResourceRevision>>;
  /** What every new unit gets, by the charm's name for it. */
  readonly storage?: Readonly<Record<string, StorageConstraints>>;
}

/** One uploaded file. */
export interface ResourceRevision {
  /** Counts from 1 for each resource of an application. */
  readonly revision: number;
  /** In the sandbox's directory of resources. */
  readonly file: string;
  readonly size: number;
  /** SHA-384, hexadecimal. */
  readonly fingerprint: string;
  readonly uploaded: string;
}

/** A directive with all defaults filled in. */
export interface StorageConstraints {
  readonly pool: string;
  readonly count: number;
  /** MiB. */
  readonly size: number;
}

/** A file system, `data/0`; it may outlive the unit it is attached to. */
export interface StorageDocument {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  /** MiB; nothing enforces it. */
  readonly size: number;
  /** Juju's number of the file system: `0/3` when bound to a machine, else `3`. */
  readonly filesystem: string;
  /** Dying storage goes as soon as nothing is attached to it. */
  readonly life: Life;
  readonly attachment?: StorageAttachment;
  /** The unit below whose directory the data lie; absent: in the directory of detached storage. */
  readonly place?: { readonly unit: string; readonly location: string };
  /** When the attachment last changed. */
  readonly since: string;
}

export interface StorageAttachment {
  readonly unit: string;
  readonly machine: string;
  /** Below the unit's directory. */
  readonly location: string;
  readonly readOnly: boolean;
  readonly life: Life;
  /** storage-attached has run. */
  readonly told: boolean;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** Empty: all endpoints. */
  readonly endpoints: readonly string[];
}

/** What a unit has seen of one relation; the planner compares it with the relation itself. */
export interface RelationMemory {
  readonly created: boolean;
  /** Remote units joined, with the version of their bag last told; absent: a changed is owed. */
  readonly members: Readonly<Record<string, { readonly version?: number }>>;
  /** The remote application's bag version last told. */
  readonly appVersion: number;
  readonly broken: boolean;
}

/** A hook that must come before others: queued, or failed and waiting for its retry. */
export interface PendingHook {
  readonly hook: HookInfo;
  readonly state: 'queued' | 'failed';
  readonly failures: number;
  readonly retryAt?: string;
  readonly resolved?: 'retry' | 'skip';
}

/** What runs right now; found after a crash, it was interrupted. */
interface RunningOperation {
  readonly contextId: string;
  readonly hook?: HookInfo;
  readonly task?: string;
}

export interface UnitDocument {
  readonly name: string;
  readonly application: string;
  readonly machine: string;
  /** Of a subordinate: the unit beside which it lives. */
  readonly principal?: string;
  readonly life: Life;
  readonly created: string;
  readonly workload: StatusInfo;
  readonly agent: StatusInfo;
  /** The charm has set a status of its own. */
  readonly statusSet: boolean;
  readonly workloadVersion?: string;
  readonly ports: readonly PortRange[];
  readonly installed: boolean;
  readonly started: boolean;
  readonly stopped: boolean;
  /** Through with its remove hook, and waiting for its subordinates to go. */
  readonly removed?: boolean;
  /** The charm in the unit's directory; absent: the application's. */
  readonly charm?: string;
  /** `charmVersion` of the application at the last upgrade. */
  readonly charmSeen?: number;
  /** The charm whose files are being put in place; found after a crash, they may be mixed. */
  readonly upgrading?: string;
  /** Its machine was rebooted, and the unit has not run its start hook since. */
  readonly rebooted?: boolean;
  /** Revisions of resources this unit has a copy of. */
  readonly resources?: Readonly<Record<string, number>>;
  /** `configVersion` of the application at the last config-changed. */
  readonly configSeen?: number;
  readonly leaderAccepted: boolean;
  readonly leaderSettingsSeen?: number;
  readonly relations: Readonly<Record<string, RelationMemory>>;
  readonly pending?: PendingHook;
  /** Hooks fired by hand, in order. */
  readonly fired?: readonly HookInfo[];
  /** Since when its agent is stopped by `juju sandbox stop-agent`. */
  readonly agentStoppedAt?: string;
  /** Until when a unit that is removed by force may run its hooks, and when it goes whatever it runs. */
  readonly forced?: { readonly deadAt: string; readonly goneAt: string };
  readonly running?: RunningOperation;
  /** state-set. */
  readonly state: Readonly<Record<string, string>>;
  /** When the last hook ended, for the update-status timer. */
  readonly lastHookAt?: string;
}

export interface RelationEndpoint {
  readonly application: string;
  readonly endpoint: string;
  readonly role: 'provider' | 'requirer' | 'peer';
  readonly interface: string;
  readonly scope: 'global' | 'container';
}

/** One endpoint for a peer relation, else the requirer and the provider in this order. */
export interface RelationDocument {
  readonly id: number;
  readonly endpoints: readonly RelationEndpoint[];
  readonly life: Life;
  /** Its units have left until it is resumed (`juju suspend-relation`). */
  readonly suspended?: { readonly reason: string };
  readonly crossModel?: CrossModelLink;
}

/** A data bag of an application (`3/app`) or unit (`3/app/0`) in a relation. */
export interface BagDocument {
  readonly relation: number;
  readonly entity: string;
  readonly data: Readonly<Record<string, string>>;
  /** Grows with every real change; 0 for a bag never written. */
  readonly version: number;
  /** Units only: whether the unit takes part in the relation now. */
  readonly inScope: boolean;
}

export type RotatePolicy =
  | 'never'
  | 'hourly'
  | 'daily'
  | 'weekly'
  | 'monthly'
  | 'quarterly'
  | 'yearly';

interface SecretRevision {
  readonly revision: number;
  /** Values are base64. */
  readonly content: Readonly<Record<string, string>>;
  readonly created: string;
  readonly expires?: string;
  /** When secret-expired last ran for this revision. */
  readonly expiryToldAt?: string;
  /** The owner has been told by secret-remove that nobody needs it any more. */
  readonly obsoleteTold: boolean;
}

export interface SecretConsumer {
  readonly label?: string;
  readonly tracked: number;
  /** The latest revision told by secret-changed (or seen by reading). */
  readonly told: number;
}

export interface SecretGrant {
  /** Application or unit. */
  readonly target: string;
  /** Absent for user secrets, which are granted to applications as such. */
  readonly relation?: number;
}

export interface SecretDocument {
  readonly id: string;
  /** The uuid of the model it lies in, where that is another one: this is a copy for consumers here. */
  readonly source?: string;
  readonly owner: {
    readonly kind: 'application' | 'unit' | 'model';
    /** Empty for the model. */
    readonly name: string;
  };
  /** The owner's label, or the name of a user secret. */
  readonly label?: string;
  readonly description?: string;
  readonly rotate: RotatePolicy;
  /** When secret-rotate is due; absent with `never`. */
  readonly rotateAt?: string;
  readonly autoPrune: boolean;
  /** Ascending, at least one. */
  readonly revisions: readonly SecretRevision[];
  readonly latest: number;
  readonly grants: readonly SecretGrant[];
  /** By unit. */
  readonly consumers: Readonly<Record<string, SecretConsumer>>;
  readonly created: string;
  readonly updated: string;
}

export interface OperationDocument {
  readonly id: string;
  readonly action: string;
  readonly parameters: JsonRecord;
  /** Units asked for, also those no task could be made for. */
  readonly receivers: readonly string[];
  readonly tasks: readonly string[];
  readonly fail?: string;
  readonly enqueued: string;
}

export interface TaskDocument {
  readonly id: string;
  readonly operation: string;
  /** Empty for a task on a machine. */
  readonly unit: string;
  readonly machine?: string;
  readonly action: string;
  readonly parameters: JsonRecord;
  /** Given to a shell instead of an action (`juju exec`). */
  readonly command?: string;
  /** Runs without the machine's lock. */
  readonly parallel?: boolean;
  /** Tasks of one group run one after the other on a machine. */
  readonly executionGroup?: string;
  readonly status: TaskStatus;
  readonly message?: string;
  readonly results: Readonly<Record<string, JsonValue>>;
  readonly log: readonly { readonly time: string; readonly message: string }[];
  readonly enqueued: string;
  readonly started?: string;
  readonly completed?: string;
}

/** Document types by kind. Ids: see each type; the part before a `/` is the partition. */
export interface Documents {
  model: ModelDocument;
  charm: CharmDocument;
  application: ApplicationDocument;
  machine: MachineDocument;
  unit: UnitDocument;
  relation: RelationDocument;
  bag: BagDocument;
  secret: SecretDocument;
  operation: OperationDocument;
  task: TaskDocument;
  storage: StorageDocument;
  offer: OfferDocument;
  remote: RemoteDocument;
}

export type Kind = keyof Documents;

/** The id of the one model document. */
export const MODEL = 'model';
