/**
 * The calls between the `juju` command and the sandbox daemon, as types; no behaviour.
 *
 * Wire: newline-delimited JSON over `$JUJU_DATA/daemon.sock`, one request a connection.
 * A call is answered by one line `{"result": …}` or `{"error": …}`; a stream by any number of
 * `{"item": …}` lines, then `{"end": true}` (or `{"error": …}`). Closing the connection cancels.
 * All times are ISO 8601 in UTC. Optional members are absent, never null.
 */

import type {
  ConsumeParams,
  ConsumerState,
  OfferInfo,
  OfferingState,
  OfferParams,
  SuspendParams,
} from './api-cross-model.ts';
import type { FaultParams } from './api-faults.ts';
import type {
  ActionSpec,
  EnqueuedOperation,
  ExecParams,
  OperationInfo,
  OperationParams,
  RunParams,
  TaskInfo,
  TaskParams,
} from './api-operations.ts';
import type {
  ApplicationResources,
  AttachResourceParams,
  RefreshParams,
  RefreshResult,
} from './api-resources.ts';
import type {
  AddSecretParams,
  GrantSecretParams,
  RemoveSecretParams,
  SecretInfo,
  ShowSecretParams,
  UpdateSecretParams,
} from './api-secrets.ts';
import type { FullStatus, StatusChange } from './api-status.ts';
import type {
  AddStorageParams,
  AddStorageResult,
  AttachStorageParams,
  DetachStorageParams,
  RemoveStorageParams,
  StorageInfo,
  StoragePool,
  StorageResult,
} from './api-storage.ts';
import type {
  AddMachinesParams,
  AddUnitParams,
  DeployParams,
  DeployResult,
  RemoveApplicationsParams,
  RemoveMachinesParams,
  RemoveResult,
  RemoveUnitsParams,
  ShowUnitResult,
} from './api-units.ts';
import type { JsonRecord, JsonValue } from './json.ts';

export type {
  ActionSpec,
  EnqueuedOperation,
  OperationInfo,
  TaskInfo,
} from './api-operations.ts';
export type { SecretContent, SecretInfo } from './api-secrets.ts';
export type {
  DeployParams,
  RemoveResult,
  ShowUnitResult,
  UnitBag,
  UnitRelation,
} from './api-units.ts';
export type { JsonRecord, JsonValue } from './json.ts';

/** Calls with one answer, by name. */
export interface Calls {
  ping: { params: NoParams; result: PingResult };
  deploy: { params: DeployParams; result: DeployResult };
  'add-unit': { params: AddUnitParams; result: { readonly units: readonly string[] } };
  'add-machine': { params: AddMachinesParams; result: { readonly machines: readonly string[] } };
  'remove-machine': { params: RemoveMachinesParams; result: readonly RemoveResult[] };
  'remove-unit': { params: RemoveUnitsParams; result: readonly RemoveResult[] };
  'remove-application': { params: RemoveApplicationsParams; result: readonly RemoveResult[] };
  integrate: { params: { readonly endpoints: readonly string[] }; result: RelationKey };
  'remove-relation': { params: RemoveRelationParams; result: NoResult };
  'get-config': { params: { readonly application: string }; result: ApplicationConfig };
  'set-config': { params: SetConfigParams; result: NoResult };
  'model-config': { params: ModelConfigParams; result: ModelConfig };
  /** Of the application, or of the model; replaces them with `values` first. */
  constraints: { params: ConstraintsParams; result: JsonRecord };
  expose: { params: ExposeParams; result: NoResult };
  resolved: { params: ResolvedParams; result: NoResult };
  status: { params: NoParams; result: FullStatus };
  sequences: { params: NoParams; result: Sequences };
  /** Past statuses of a unit, application or machine, oldest first. */
  'status-history': { params: { readonly entity: string }; result: readonly StatusChange[] };
  'show-unit': { params: { readonly unit: string }; result: ShowUnitResult };
  actions: { params: { readonly application: string }; result: readonly ActionSpec[] };
  run: { params: RunParams; result: EnqueuedOperation };
  exec: { params: ExecParams; result: EnqueuedOperation };
  /** Where `juju ssh` runs for a unit or machine. */
  place: { params: { readonly target: string }; result: Place };
  task: { params: TaskParams; result: TaskInfo };
  'cancel-task': { params: { readonly id: string }; result: TaskInfo };
  operation: { params: OperationParams; result: OperationInfo };
  operations: { params: NoParams; result: readonly OperationInfo[] };
  'add-secret': { params: AddSecretParams; result: { readonly uri: string } };
  'update-secret': { params: UpdateSecretParams; result: NoResult };
  'remove-secret': { params: RemoveSecretParams; result: NoResult };
  'grant-secret': { params: GrantSecretParams; result: NoResult };
  'revoke-secret': { params: GrantSecretParams; result: NoResult };
  fault: { params: FaultParams; result: NoResult };
  /** Begins to write down what happens, into a new file with this absolute path. */
  record: { params: { readonly file: string }; result: NoResult };
  'stop-record': { params: NoParams; result: { readonly file: string } };
  secrets: { params: NoParams; result: readonly SecretInfo[] };
  'show-secret': { params: ShowSecretParams; result: SecretInfo };
  refresh: { params: RefreshParams; result: RefreshResult };
  resources: { params: { readonly application: string }; result: ApplicationResources };
  'attach-resource': { params: AttachResourceParams; result: NoResult };
  storage: { params: NoParams; result: readonly StorageInfo[] };
  'storage-pools': { params: NoParams; result: readonly StoragePool[] };
  'add-storage': { params: AddStorageParams; result: readonly AddStorageResult[] };
  'attach-storage': { params: AttachStorageParams; result: readonly StorageResult[] };
  'detach-storage': { params: DetachStorageParams; result: readonly StorageResult[] };
  offer: { params: OfferParams; result: NoResult };
  offers: { params: NoParams; result: readonly OfferInfo[] };
  /** With `force` the relations to it too. */
  'remove-offer': { params: { readonly name: string; readonly force?: boolean }; result: NoResult };
  consume: { params: ConsumeParams; result: { readonly name: string } };
  'remove-saas': { params: { readonly name: string; readonly force?: boolean }; result: NoResult };
  'suspend-relation': { params: SuspendParams; result: NoResult };
  /** Between daemons: what the consuming model is now; `to` is the uuid of the offering one. */
  'cross-model-tell': {
    params: { readonly to: string; readonly state: ConsumerState };
    result: NoResult;
  };
  'remove-storage': { params: RemoveStorageParams; result: readonly StorageResult[] };
}

/** Calls answered by any number of items. */
export interface Streams {
  /** Log lines, oldest first. Ends by itself unless `follow`. */
  'debug-log': { params: DebugLogParams; item: LogLine };
  /**
   * Stops everything: units run their removal path within a bounded time, then the daemon ends.
   * Use `killController()` of the client, which also works when the daemon is dead.
   */
  destroy: { params: DestroyParams; item: DestroyProgress };
  /** Between daemons: what the offering model `to` is now, and whenever that changes. */
  'cross-model-listen': {
    params: { readonly to: string; readonly consumer: string };
    item: OfferingState;
  };
}

export type CallName = keyof Calls;
export type StreamName = keyof Streams;
type NoParams = Readonly<Record<string, never>>;
type NoResult = Readonly<Record<string, never>>;

export interface Request {
  readonly call: CallName | StreamName;
  readonly params: unknown;
}

export type Response =
  | { readonly result: unknown }
  | { readonly item: unknown }
  | { readonly end: true }
  | { readonly error: WireError };

/** `message` is Juju's, to be printed after `ERROR `. */
export interface WireError {
  readonly message: string;
  readonly code: ErrorCode;
}

/**
 * `not-found`, `already-exists`, `invalid` (the request is wrong), `refused` (the sandbox does not
 * do this), `timeout`, `internal` (a defect of the sandbox).
 */
export type ErrorCode =
  | 'not-found'
  | 'already-exists'
  | 'invalid'
  | 'refused'
  | 'timeout'
  | 'internal';

export interface PingResult {
  readonly pid: number;
  readonly modelName: string;
  readonly modelUuid: string;
  readonly controllerName: string;
  readonly jujuVersion: string;
  /** `namespaces`: each machine has files, processes and a network of its own. */
  readonly isolation: 'none' | 'namespaces';
  /** What this start of the daemon has to say, one sentence each. */
  readonly warnings: readonly string[];
}

/** The numbers to be given next. */
interface Sequences {
  readonly machine: number;
  /** By application; absent: 0. */
  readonly units: Readonly<Record<string, number>>;
}

interface RelationKey {
  readonly id: number;
  /** Requirer endpoint first: `wordpress:db mysql:server`. */
  readonly key: string;
}

/** Either two endpoints (`app` or `app:endpoint`) or the id. */
interface RemoveRelationParams {
  readonly endpoints?: readonly string[];
  readonly id?: number;
  readonly force?: boolean;
}

/** A machine as a person finds it who logs in. */
export interface Place {
  readonly machine: string;
  /** As it is called on the machine. */
  readonly home: string;
  /** What stands before paths of the machine on this host. */
  readonly files: string;
  /** What to spawn on this host for a shell on the machine; arguments of the shell come last. */
  readonly shell: { readonly file: string; readonly args: readonly string[]; readonly cwd: string };
  /** All of the environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ApplicationConfig {
  readonly application: string;
  readonly charm: string;
  readonly trust: boolean;
  readonly settings: Readonly<Record<string, ConfigSetting>>;
}

export interface ConfigSetting {
  readonly type: 'string' | 'int' | 'float' | 'boolean' | 'secret';
  readonly description?: string;
  readonly default?: JsonValue;
  readonly value?: JsonValue;
  readonly source: 'default' | 'user' | 'unset';
}

interface SetConfigParams {
  readonly application: string;
  /** Texts are converted to the option's type; `trust` is accepted as a pseudo-option. */
  readonly values?: JsonRecord;
  readonly reset?: readonly string[];
}

/** Sets, resets, then answers the whole configuration of the model. */
interface ModelConfigParams {
  readonly values?: JsonRecord;
  readonly reset?: readonly string[];
}

export type ModelConfig = Readonly<
  Record<string, { readonly value: JsonValue; readonly source: 'default' | 'model' }>
>;

interface ConstraintsParams {
  readonly application?: string;
  readonly values?: JsonRecord;
}

interface ExposeParams {
  readonly application: string;
  readonly exposed: boolean;
}

interface ResolvedParams {
  readonly units?: readonly string[];
  readonly all?: boolean;
  readonly noRetry?: boolean;
}

export interface DebugLogParams {
  /** From the beginning; otherwise the last `lines` (10 unless told). */
  readonly replay?: boolean;
  /** Stay and send what comes. */
  readonly follow?: boolean;
  /** Lines of the past to begin with; ignored with `replay`. */
  readonly lines?: number;
  /** End after so many lines. */
  readonly limit?: number;
  /** Least level: TRACE DEBUG INFO WARNING ERROR CRITICAL. */
  readonly level?: string;
  /** Entities (`unit-app-0`, `app/0`, `unit-app-*`) and modules (`unit.app/0.juju-log` prefixes). */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly includeModules?: readonly string[];
  readonly excludeModules?: readonly string[];
}

export interface LogLine {
  readonly time: string;
  /** `unit-app-0`, `controller-0`. */
  readonly entity: string;
  readonly level: string;
  readonly module: string;
  readonly message: string;
}

export interface DestroyParams {
  /** How long units may take for their stop and remove hooks; 60 s unless told. */
  readonly timeoutMs?: number;
}

export interface DestroyProgress {
  /** Units still there. */
  readonly units: readonly string[];
}
