/** The daemon's life: store, agents, sockets, and their end. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { HintError, systemClock } from '#system';
import type { HookContext } from '../agent/hook-context.ts';
import { MachineLocks } from '../agent/machine-locks.ts';
import { OutputPipes } from '../agent/output-pipe.ts';
import type { AgentServices } from '../agent/services.ts';
import type { BootstrapOptions } from '../client/daemon-control.ts';
import { type SandboxPaths, sandboxPaths } from '../client/paths.ts';
import { tryIsolation } from '../machines/isolation.ts';
import { type MachineHost, NamespaceHost, sharedHost } from '../machines/machine-host.ts';
import { MODEL } from '../model/documents.ts';
import { addMissingMachines, shortId } from '../model/machines.ts';
import { Recorder } from '../record/recorder.ts';
import { DebugLog } from '../store/debug-log.ts';
import { openStore, type Store } from '../store/store.ts';
import { Agents } from './agents.ts';
import { serveCalls } from './call-server.ts';
import { CrossModelLinks } from './cross-model/links.ts';
import { ForcedRemovals } from './forced-removals.ts';
import { MachineTasks } from './machine-tasks.ts';
import { createModelClock } from './model-clock.ts';
import { StatusHistory } from './status-history.ts';
import { serveTools } from './tool-server.ts';
import { writeTools } from './tools-directory.ts';

/** Runs until it is told to end (by the `destroy` call or a signal). */
export async function runDaemon(root: string, options: BootstrapOptions): Promise<void> {
  const paths = sandboxPaths(root);
  const store = openExclusively(paths);
  ensureModel(store, options);
  await mkdir(paths.agents, { recursive: true, mode: 0o711 });
  await mkdir(paths.charms, { recursive: true, mode: 0o711 });
  await mkdir(dirname(paths.agentSocket), { recursive: true, mode: 0o711 });
  await writeTools(paths);
  const warnings = await prepareMachines(store, paths.root, options);
  const services = await createServices(store, paths);
  const history = new StatusHistory(paths);
  history.follow(store);
  const agents = new Agents(services);
  const ending = Promise.withResolvers<void>();
  const tools = await serveTools(services, agents);
  await services.machines.removeOthers(store.all('machine').map(({ id }) => id));
  agents.start();
  const machineTasks = new MachineTasks(services);
  machineTasks.start();
  const forcedRemovals = new ForcedRemovals(services, agents);
  forcedRemovals.start();
  writeFileSync(paths.pidFile, `${process.pid}\n`, { mode: 0o600 });
  const links = new CrossModelLinks({
    store,
    root,
    now: () => services.clock.now(),
    onDefect: reportDefect,
  });
  const calls = await serveCalls({
    services,
    agents,
    history,
    links,
    warnings,
    end: ending.resolve,
  });
  links.start();
  process.on('SIGTERM', ending.resolve);
  process.on('SIGINT', ending.resolve);
  process.on('uncaughtException', reportDefect);
  process.on('unhandledRejection', reportDefect);
  await ending.promise;
  machineTasks.stop();
  forcedRemovals.stop();
  links.stop();
  tools.close();
  calls.close();
  rmSync(paths.pidFile, { force: true });
  store.close();
}

async function createServices(store: Store, paths: SandboxPaths): Promise<AgentServices> {
  const clock = createModelClock(store);
  return {
    store,
    paths,
    pipes: await OutputPipes.create(paths.pipes),
    machines: machineHost(store, paths.root),
    log: new DebugLog(paths.debugLog, clock),
    clock,
    address: ownAddress(),
    failingCommits: new Set<string>(),
    contexts: new Map<string, HookContext>(),
    locks: new MachineLocks(),
    recorder: new Recorder(store, paths, clock),
    onDefect: reportDefect,
  };
}

function openExclusively(paths: SandboxPaths): Store {
  try {
    return openStore(paths.database);
  } catch (error) {
    if (Error.isError(error) && error.message.includes('locked')) {
      throw new HintError(`a daemon runs already in ${paths.root}`, {
        code: 'already-running',
        cause: error,
      });
    }
    throw error;
  }
}

function ensureModel(store: Store, options: BootstrapOptions): void {
  if (store.get('model', MODEL) === undefined) {
    store.transact((transaction) => {
      transaction.put('model', MODEL, {
        name: options.modelName ?? 'sandbox',
        uuid: randomUUID(),
        controllerName: options.controllerName ?? 'sandbox',
        created: new Date().toISOString(),
        counters: { relation: 0, machine: 0, task: 1 },
        unitNumbers: {},
        charmRevisions: {},
        config: {},
      });
    });
  }
}

/**
 * Decides for a new model how machines are made.
 * @returns what the user has to know about it
 */
async function prepareMachines(
  store: Store,
  root: string,
  { isolation = 'none' }: BootstrapOptions,
): Promise<readonly string[]> {
  const { uuid, isolation: chosen } = store.require('model', MODEL);
  store.transact(addMissingMachines);
  if (isolation === 'none' || chosen !== undefined) {
    return [];
  }
  const { settings, warnings } = await tryIsolation(root, shortId(uuid), systemClock);
  if (settings !== undefined) {
    store.transact((transaction) => {
      transaction.patch('model', MODEL, { isolation: settings });
    });
  }
  return warnings;
}

function machineHost(store: Store, root: string): MachineHost {
  const { isolation } = store.require('model', MODEL);
  return isolation === undefined ? sharedHost : new NamespaceHost(root, isolation, systemClock);
}

/** The first IPv4 address of this machine that others can reach; loopback where there is none. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return found?.address ?? '127.0.0.1';
}

function reportDefect(error: unknown): void {
  const text = Error.isError(error) ? (error.stack ?? error.message) : String(error);
  console.error(`${new Date().toISOString()} defect: ${text}`);
}
