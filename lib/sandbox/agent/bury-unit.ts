/** The end of a unit: it leaves the model, and its machine what it left there. */
import { endSandboxProcesses } from '../client/sweep-processes.ts';
import { removeUnit } from '../model/removal.ts';
import type { AgentServices } from './services.ts';
import { releaseStorage } from './storage-directories.ts';
import { removeUnitDirectory, unitDirectory } from './unit-directory.ts';

/** Removes a unit that runs no operation; it may have left the model before. @param machine empty where it had none yet */
export async function buryUnit(
  services: AgentServices,
  { unit, machine }: { readonly unit: string; readonly machine: string },
): Promise<void> {
  const { store, paths, clock, machines } = services;
  if (store.get('unit', unit) !== undefined) {
    store.transact((transaction) => {
      removeUnit(transaction, unit);
    });
  }
  const { root } = unitDirectory(paths, unit);
  await endSandboxProcesses(root, clock);
  releaseStorage(services, unit);
  await removeUnitDirectory(root);
  if (machine !== '' && store.get('machine', machine) === undefined) {
    await machines.remove(machine);
  }
}
