/** The secret tools in memory, with Juju's rules of ownership and tracking, and its words. */
import { readFileSync } from 'node:fs';
import { bareSecretId, isSameSecret } from '../../model/secret.ts';
import {
  secret as newSecret,
  nextSecretId,
  type SecretState,
  sameContent,
} from '../secret-state.ts';
import type { Mutable, World } from '../world.ts';
import { type ParsedArguments, parseArguments, ToolFailure } from './arguments.ts';
import { findRelation, remoteApp } from './relation-tools.ts';
import type { Tool } from './tool.ts';

type Secret = Mutable<SecretState>;

const METADATA = ['--label', '--description', '--rotate', '--expire', '--owner'];
const REVOKE = { values: ['--relation|-r', '--unit', '--app|--application'] };
const GRANT = { values: ['--relation|-r', '--unit'] };

export const secretTools: Readonly<Record<string, Tool>> = {
  'secret-add': (world, args) => {
    const parsed = parseArguments(args, { values: METADATA });
    const owner = parsed.values.get('--owner') ?? 'application';
    const label = parsed.values.get('--label');
    requireOwner(world, owner);
    if (label !== undefined && world.secrets.some((it) => it.label === label)) {
      throw new ToolFailure(`secret with label "${label}" already exists`);
    }
    const id = nextSecretId();
    const content = readContent(parsed.rest);
    const added = newSecret({ id, owner: owner === 'unit' ? 'unit' : 'application', content });
    const secret = {
      ...(added as Secret),
      trackedContent: undefined,
      trackedRevision: undefined,
      grants: {},
      removedRevisions: [],
    };
    applyMetadata(secret, parsed);
    world.secrets.push(secret);
    return `${id}\n`;
  },
  'secret-get': (world, args) => {
    const parsed = parseArguments(args, { values: ['--label'], flags: ['--peek', '--refresh'] });
    if (parsed.flags.has('--peek') && parsed.flags.has('--refresh')) {
      throw new ToolFailure('specify one of --peek or --refresh but not both', 2);
    }
    const secret = find(world, parsed);
    if (!secret.granted) {
      throw new ToolFailure('permission denied');
    }
    secret.label = parsed.values.get('--label') ?? secret.label;
    if (parsed.flags.has('--refresh')) {
      secret.trackedContent = { ...secret.latestContent };
      secret.trackedRevision = secret.revision;
    } else if (secret.trackedContent === undefined) {
      // The first read tracks what is committed, not what this hook is about to commit.
      const committed = world.committedSecret(secret.id)?.latestContent;
      secret.trackedContent = { ...(committed ?? secret.latestContent) };
      secret.trackedRevision = world.committedRevision(secret.id);
    }
    return parsed.flags.has('--peek') ? secret.latestContent : secret.trackedContent;
  },
  'secret-set': (world, args) => {
    const parsed = parseArguments(args, { values: METADATA });
    const secret = findOwned(world, parsed.rest[0]);
    applyMetadata(secret, parsed);
    if (parsed.rest.length > 1) {
      const content = readContent(parsed.rest.slice(1));
      if (!sameContent(content, secret.latestContent)) {
        secret.latestContent = content;
        // Several updates in one hook are one revision.
        secret.revision = world.committedRevision(secret.id) + 1;
      }
    }
    return undefined;
  },
  'secret-info-get': (world, args) => {
    const parsed = parseArguments(args, { values: ['--label'] });
    if (parsed.rest.length > 0 && parsed.values.has('--label')) {
      throw new ToolFailure('specify either a secret URI or label but not both', 2);
    }
    const secret = find(world, parsed);
    if (!isOwner(world, secret)) {
      throw new ToolFailure(`secret "${bareSecretId(secret.id)}" not found`);
    }
    return {
      [bareSecretId(secret.id)]: {
        revision: world.committedRevision(secret.id),
        label: secret.label,
        owner: secret.owner,
        description: secret.description,
        rotation: secret.rotate ?? 'never',
        expiry: secret.expire,
        access: accessOf(secret),
      },
    };
  },
  'secret-grant': (world, args) => {
    refuseAcrossModels(world, args);
    changeGrants(world, args, (readers, reader) => [...new Set([...readers, reader])]);
  },
  'secret-revoke': (world, args) => {
    const parsed = parseArguments(args, REVOKE);
    const target = parsed.values.get('--unit') ?? parsed.values.get('--application');
    if (parsed.values.has('--unit') && parsed.values.has('--application')) {
      throw new ToolFailure('specify only one of application or unit', 2);
    }
    if (parsed.values.has('-r')) {
      if (parsed.values.has('--application')) {
        throw new ToolFailure('do not specify both relation and app', 2);
      }
      changeGrants(world, args, (readers, reader) => readers.filter((it) => it !== reader));
    } else if (target === undefined) {
      throw new ToolFailure('missing relation or application or unit', 2);
    } else {
      revokeEverywhere(findOwned(world, parsed.rest[0]), target);
    }
  },
  'secret-remove': (world, args) => {
    const parsed = parseArguments(args, { values: ['--revision'] });
    const secret = findOwned(world, parsed.rest[0]);
    const revision = parsed.values.get('--revision');
    if (revision === undefined) {
      world.secrets = world.secrets.filter((it) => it !== secret);
    } else {
      removeRevision(world, secret, Number(revision));
    }
  },
  'secret-ids': (world, args) => {
    parseArguments(args, {});
    return world.secrets.filter((it) => isOwner(world, it)).map((it) => bareSecretId(it.id));
  },
};

function readerOf(unit: string | undefined, app: string): string {
  if (unit !== undefined && unit.split('/')[0] !== app) {
    throw new ToolFailure(`cannot specify unit "${unit}" in relation to application "${app}"`);
  }
  return unit ?? app;
}

function tagOf(reader: string): string {
  return reader.includes('/') ? `unit-${reader.replace('/', '-')}` : `application-${reader}`;
}

/** As Juju prints grants; left out when there are none. */
function accessOf(secret: Secret): readonly unknown[] | undefined {
  const access = Object.entries(secret.grants).flatMap(([id, readers]) => {
    return readers.map((reader) => ({
      target: tagOf(reader),
      scope: `relation-${id}`,
      role: 'view',
    }));
  });
  return access.length === 0 ? undefined : access;
}

function changeGrants(
  world: World,
  args: readonly string[],
  change: (readers: readonly string[], reader: string) => string[],
): void {
  const parsed = parseArguments(args, GRANT);
  const secret = findOwned(world, parsed.rest[0]);
  const relation = findRelation(world, parsed.values.get('-r'));
  const reader = readerOf(parsed.values.get('--unit'), remoteApp(world, relation));
  secret.grants[relation.id] = change(secret.grants[relation.id] ?? [], reader);
}

// What Juju calls the consumer of an offer of this model.
const CONSUMER = /^remote-[0-9a-f]{32}$/;

/** Juju finds out at the commit, and says no more to the tool than to others. */
function refuseAcrossModels(world: World, args: readonly string[]): void {
  const parsed = parseArguments(args, GRANT);
  const relation = findRelation(world, parsed.values.get('-r'));
  const uuid = relation.kind === 'relation' ? relation.remoteModelUuid : undefined;
  if (uuid === undefined || uuid === world.given.model.uuid) {
    return;
  }
  if (parsed.values.has('--unit')) {
    world.commitRefusal = 'sharing secrets with a unit across a cross model relation not supported';
  } else if (!CONSUMER.test(remoteApp(world, relation))) {
    world.commitRefusal = 'sharing consumer secrets across a cross model relation not supported';
  }
}

function revokeEverywhere(secret: Secret, target: string): void {
  for (const [id, readers] of Object.entries(secret.grants)) {
    secret.grants[Number(id)] = readers.filter((it) => it !== target);
  }
}

/** Without its last revision a secret is gone. */
function removeRevision(world: World, secret: Secret, revision: number): void {
  if (!secret.removedRevisions.includes(revision)) {
    secret.removedRevisions.push(revision);
  }
  if (new Set(secret.removedRevisions).size >= secret.revision) {
    world.secrets = world.secrets.filter((it) => it !== secret);
  }
}

function find(world: World, parsed: ParsedArguments): Secret {
  const id = parsed.rest[0];
  const label = parsed.values.get('--label');
  if (id === undefined && label === undefined) {
    throw new ToolFailure('require either a secret URI or label', 2);
  }
  const secret = world.secrets.find((it) =>
    id === undefined ? it.label === label : isSameSecret(it.id, id),
  );
  if (secret === undefined) {
    throw new ToolFailure(
      id === undefined
        ? `consumer label "${label ?? ''}" not found`
        : `secret "${bareSecretId(id)}" not found`,
    );
  }
  return secret;
}

function findOwned(world: World, id: string | undefined): Secret {
  const secret = world.secrets.find((it) => id !== undefined && isSameSecret(it.id, id));
  if (secret === undefined) {
    throw new ToolFailure(id === undefined ? 'missing secret URI' : `secret "${id}" not found`);
  }
  requireOwner(world, secret.owner);
  return secret;
}

function isOwner(world: World, secret: Secret): boolean {
  return secret.owner === 'unit' || (secret.owner === 'application' && world.leader);
}

function requireOwner(world: World, owner: string): void {
  if (owner === 'application' && !world.leader) {
    throw new ToolFailure('this unit is not the leader');
  }
  if (owner === 'none') {
    throw new ToolFailure('permission denied');
  }
}

function applyMetadata(secret: Secret, parsed: ParsedArguments): void {
  secret.label = parsed.values.get('--label') ?? secret.label;
  secret.description = parsed.values.get('--description') ?? secret.description;
  secret.rotate = parsed.values.get('--rotate') ?? secret.rotate;
  secret.expire = parsed.values.get('--expire') ?? secret.expire;
}

function readContent(pairs: readonly string[]): Record<string, string> {
  if (pairs.length === 0) {
    throw new ToolFailure('missing secret value or filename', 2);
  }
  return Object.fromEntries(
    pairs.map((text) => {
      const [, key = '', fromFile, value = ''] = /^([^=#]+)(#file)?=(.*)$/s.exec(text) ?? [];
      return [key, fromFile === undefined ? value : readFileSync(value, 'utf8')];
    }),
  );
}
