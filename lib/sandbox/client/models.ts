/**
 * Several models in one sandbox: the first lies in the sandbox's data directory itself, every other
 * one below `models/` with a daemon of its own. Models meet only in relations to each other's offers.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode } from '#system';
import { isBootstrapped } from './daemon-control.ts';

const NAME = /^[a-z0-9]+[a-z0-9-]*$/;

/** Whether Juju would take this as the name of a model. */
export function isModelName(name: string): boolean {
  return NAME.test(name);
}

/** Where an added model lies; it need not exist. */
export function addedModelRoot(controllerRoot: string, name: string): string {
  return join(controllerRoot, 'models', name);
}

/** The names of the added models. */
export function addedModels(controllerRoot: string): readonly string[] {
  const directory = join(controllerRoot, 'models');
  if (!existsSync(directory)) {
    return [];
  }
  return readdirSync(directory)
    .filter((name) => isBootstrapped(join(directory, name)))
    .toSorted();
}

/** The root of the added model with this name; undefined when there is none. */
export function findAddedModel(controllerRoot: string, name: string): string | undefined {
  const root = addedModelRoot(controllerRoot, name);
  return isModelName(name) && isBootstrapped(root) ? root : undefined;
}

/** The sandbox's data directory, to which the model in `root` belongs. */
export function controllerRootOf(root: string): string {
  const parent = dirname(root);
  const controllerRoot = dirname(parent);
  return basename(parent) === 'models' && isBootstrapped(controllerRoot) ? controllerRoot : root;
}

/** Where the model with this name would lie; if there is no such added model, it may be the first. */
export function modelRootIn(controllerRoot: string, name: string): string {
  return findAddedModel(controllerRoot, name) ?? controllerRoot;
}

/** The model that `juju switch` or `juju add-model` chose; undefined for the first one. */
export function currentModel(controllerRoot: string): string | undefined {
  try {
    const name = readFileSync(choiceFile(controllerRoot), 'utf8').trim();
    return findAddedModel(controllerRoot, name) === undefined ? undefined : name;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

/** Chooses an added model, or with undefined the first one. */
export function chooseModel(controllerRoot: string, name: string | undefined): void {
  if (name === undefined) {
    rmSync(choiceFile(controllerRoot), { force: true });
  } else {
    writeFileSync(choiceFile(controllerRoot), `${name}\n`, { mode: 0o600 });
  }
}

function choiceFile(controllerRoot: string): string {
  return join(controllerRoot, 'current-model');
}
