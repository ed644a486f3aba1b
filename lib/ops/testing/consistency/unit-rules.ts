/** Storages, networks, resources, ports and numbers of the unit: declared, unique, possible. */
import { storageName } from '../storage-state.ts';
import { ToolFailure } from '../tools/arguments.ts';
import { overlap, parseOpened, parsePort } from '../tools/port-tools.ts';
import { namesOf, repeated, type Scene } from './scene.ts';

export function* storageProblems({ state, event, meta }: Scene): Generator<string> {
  for (const id of repeated(state.storages.map((storage) => storage.id))) {
    yield `storage "${id}" occurs twice: give each instance an index of its own`;
  }
  for (const { name, limit = Number.POSITIVE_INFINITY } of meta.storages.values()) {
    const count = state.storages.filter(({ id }) => storageName(id) === name).length;
    if (count > limit) {
      yield `there are ${count} storages "${name}": the charm declares at most ${limit}; widen its "multiple.range"`;
    }
  }
  const carried = event.storage === undefined ? [] : [event.storage];
  for (const { id, kind } of new Map(
    [...carried, ...state.storages].map((it) => [it.id, it]),
  ).values()) {
    const declared = meta.storages.get(storageName(id));
    if (!/^.+\/\d+$/.test(id)) {
      yield `storage id "${id}" is none: write name and index, as "data/0", or use storage()`;
    } else if (declared === undefined) {
      yield `storage "${id}" is not declared by the charm: it has ${namesOf(meta.storages.keys())}`;
    } else if (declared.kind !== kind) {
      yield `storage "${id}" is declared as ${declared.kind}: ${kind} is none; pass kind`;
    }
  }
}

export function* networkProblems({ state, meta }: Scene): Generator<string> {
  for (const name of meta.extraBindings.filter((binding) => meta.endpoints.has(binding))) {
    yield `extra binding "${name}" has the name of an endpoint: rename one in the charm's metadata`;
  }
  for (const binding of Object.keys(state.networks)) {
    const endpoint = meta.endpoints.get(binding);
    if (endpoint?.scope === 'container') {
      yield `network "${binding}" is of an endpoint with "scope: container", which has none: drop it from the state`;
    } else if (
      endpoint === undefined &&
      binding !== 'juju-info' &&
      !meta.extraBindings.includes(binding)
    ) {
      yield `network "${binding}" is neither an endpoint nor an extra binding of the charm: it has ${namesOf([...meta.endpoints.keys(), ...meta.extraBindings])}`;
    }
  }
}

export function* cloudProblems({ state }: Scene): Generator<string> {
  const { cloudSpec } = state.model;
  if (cloudSpec !== undefined && (cloudSpec.type === '' || cloudSpec.name === '')) {
    yield 'model.cloudSpec has no type or no name: give both, as "juju show-cloud" does';
  }
  if (cloudSpec?.credential?.authType === '') {
    yield 'the credential of model.cloudSpec has no authType: give one, for example "userpass"';
  }
}

export function* resourceProblems({ state, meta }: Scene): Generator<string> {
  for (const name of Object.keys(state.resources).filter((it) => !meta.resources.includes(it))) {
    yield `resource "${name}" is not declared by the charm: it has ${namesOf(meta.resources)}`;
  }
}

export function* portProblems({ state, meta }: Scene): Generator<string> {
  const ranges = [];
  for (const [port, endpoints] of state.openedPorts.map(parseOpened)) {
    for (const name of endpoints.filter((it) => !meta.endpoints.has(it))) {
      yield `port "${port}" is opened for "${name}", which is no endpoint: the charm has ${namesOf(meta.endpoints.keys())}`;
    }
    try {
      const range = parsePort(port);
      if (range.text !== port) {
        yield `opened port "${port}" must be written as Juju does: "${range.text}"`;
      }
      ranges.push(range);
    } catch (error) {
      if (!(error instanceof ToolFailure)) {
        throw error;
      }
      yield `opened port "${port}" is none: ${error.message}`;
    }
  }
  for (const [index, one] of ranges.entries()) {
    const other = ranges.slice(index + 1).find((it) => overlap(one, it));
    if (other !== undefined) {
      yield `opened ports ${one.text} and ${other.text} overlap: Juju opens a port once; drop one`;
    }
  }
}

export function* placeProblems(scene: Scene): Generator<string> {
  const { state, meta, principalUnit } = scene;
  if (!Number.isInteger(state.plannedUnits) || state.plannedUnits < 0) {
    yield `plannedUnits is ${state.plannedUnits}: use a whole number, 0 when the last unit goes`;
  }
  if (!Number.isInteger(scene.unitNumber) || scene.unitNumber < 0) {
    yield `unitId is ${scene.unitNumber}: use a whole number from 0`;
  }
  if (principalUnit !== undefined && !meta.subordinate) {
    yield `principalUnit is "${principalUnit}", but the charm is no subordinate: drop it, or declare "subordinate: true"`;
  }
}
