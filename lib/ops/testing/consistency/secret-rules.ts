/** Secrets: ids, revisions, owners and grants that can be, and events of them that Juju would send. */
import { checkSecretContent } from '../../hook-tools/index.ts';
import { isSameSecret } from '../../model/secret.ts';
import { type SecretState, sameContent } from '../secret-state.ts';
import type { TestEvent } from '../test-events.ts';
import { repeated, type Scene } from './scene.ts';

export function* secretProblems(scene: Scene): Generator<string> {
  const { state } = scene;
  for (const id of repeated(state.secrets.map((secret) => secret.id))) {
    yield `two secrets have the same id ${id}: give each one of its own`;
  }
  yield* labelProblems(state.secrets);
  for (const secret of state.secrets) {
    yield* identityProblems(secret);
    yield* revisionProblems(secret);
    yield* metadataProblems(secret);
    yield* grantProblems(secret, scene);
  }
  if (state.secrets.length > 0 && Number(scene.jujuVersion.split('.')[0]) < 3) {
    yield `Juju ${scene.jujuVersion} has no secrets: use jujuVersion 3 or later, or drop them from the state`;
  }
  yield* secretEventProblems(scene);
}

function* labelProblems(secrets: readonly SecretState[]): Generator<string> {
  for (const owner of ['application', 'unit', 'none'] as const) {
    const labels = secrets
      .filter((secret) => secret.owner === owner && secret.label !== undefined)
      .map((secret) => secret.label);
    for (const label of repeated(labels)) {
      yield `two secrets have the label "${label ?? ''}": a label names one secret an owner; change one`;
    }
  }
}

function* identityProblems(secret: SecretState): Generator<string> {
  if (!/^secret:(\/\/[^/]+\/)?[0-9a-v]{20}$/.test(secret.id)) {
    yield `secret id "${secret.id}" is none: leave it out, or use "secret:" and 20 characters of 0-9a-v`;
  }
  if (secret.owner !== 'none' && !secret.granted) {
    yield `secret "${nameOf(secret)}" is owned by the charm: it needs no grant; leave "granted" out`;
  }
  if (!secret.granted) {
    return; // Nobody sees its content, so that tests need not write any.
  }
  try {
    checkSecretContent(secret.latestContent);
  } catch (error) {
    yield `secret "${nameOf(secret)}" has content Juju refuses: ${Error.isError(error) ? error.message : String(error)}`;
  }
}

function* revisionProblems(secret: SecretState): Generator<string> {
  const { revision } = secret;
  const name = nameOf(secret);
  if (!isRevision(revision)) {
    yield `secret "${name}" has revision ${revision}: revisions count from 1`;
    return;
  }
  for (const removed of secret.removedRevisions) {
    if (!isRevision(removed) || removed > revision) {
      yield `secret "${name}" has lost revision ${removed} it never had: its latest is ${revision}`;
    }
  }
  yield* trackingProblems(secret, name);
}

function* trackingProblems(secret: SecretState, name: string): Generator<string> {
  const { revision, trackedContent, trackedRevision, latestContent } = secret;
  if ((trackedContent === undefined) !== (trackedRevision === undefined)) {
    yield `secret "${name}" needs trackedContent and trackedRevision both, or neither when the unit never read it`;
    return;
  }
  if (trackedRevision === undefined || trackedContent === undefined) {
    return;
  }
  if (!isRevision(trackedRevision) || trackedRevision > revision) {
    yield `secret "${name}" tracks revision ${trackedRevision}: its latest is ${revision}; raise "revision"`;
  } else if (trackedRevision === revision && !sameContent(trackedContent, latestContent)) {
    yield `secret "${name}" tracks its latest revision ${revision}: trackedContent must be the content, or trackedRevision lower`;
  }
}

const POLICIES = ['never', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'];

function* metadataProblems(secret: SecretState): Generator<string> {
  const { rotate, expire } = secret;
  if (rotate !== undefined && !POLICIES.includes(rotate)) {
    yield `secret "${nameOf(secret)}" rotates "${rotate}": use one of ${POLICIES.join(', ')}`;
  }
  if (expire !== undefined && Number.isNaN(Date.parse(expire))) {
    yield `secret "${nameOf(secret)}" expires at "${expire}": write a time as 2030-01-31T12:00:00Z`;
  }
}

function* grantProblems(secret: SecretState, { state }: Scene): Generator<string> {
  const ids = Object.keys(secret.grants).map(Number);
  if (secret.owner === 'none' && ids.length > 0) {
    yield `secret "${nameOf(secret)}" is not the charm's own: only owners grant; use "granted", or set "owner"`;
    return;
  }
  for (const id of ids) {
    if (!state.relations.some((relation) => relation.id === id)) {
      yield `secret "${nameOf(secret)}" is granted in relation ${id}: add that to the state's relations`;
    }
  }
}

function* secretEventProblems({ state, event }: Scene): Generator<string> {
  const { secret } = event;
  if (secret === undefined) {
    return;
  }
  const present = state.secrets.find((known) => isSameSecret(known.id, secret.id));
  if (present === undefined) {
    yield `the event is about secret ${secret.id}: add that to the state's secrets`;
    return;
  }
  if (!event.path.endsWith('secret-changed')) {
    yield* ownerEventProblems(present, event, state.leader);
  }
}

/** secret-rotate, -expired and -remove come to the owner: the unit, or the leader. */
function* ownerEventProblems(
  secret: SecretState,
  event: TestEvent,
  leader: boolean,
): Generator<string> {
  const hook = event.path.replace('hooks/', '');
  const { secretRevision: revision } = event;
  if (secret.owner === 'none') {
    yield `${hook} comes to the owner of a secret only: give "${nameOf(secret)}" an owner, or use secretChanged()`;
  } else if (secret.owner === 'application' && !leader) {
    yield `${hook} of a secret of the application comes to the leader only: set "leader: true"`;
  }
  if (revision === undefined) {
    return;
  }
  if (revision > secret.revision || secret.removedRevisions.includes(revision)) {
    yield `${hook} is about revision ${revision}: secret "${nameOf(secret)}" has no such revision; its latest is ${secret.revision}`;
  } else if (hook === 'secret-remove' && revision === secret.revision) {
    yield `secret-remove is about revisions nobody tracks: ${revision} is the latest of "${nameOf(secret)}"; raise its "revision"`;
  }
}

function isRevision(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

function nameOf(secret: SecretState): string {
  return secret.label ?? secret.id;
}
