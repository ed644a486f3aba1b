/** secret-get for consumers; secret-grant and secret-revoke. */
import type { SecretContent } from '../api-secrets.ts';
import { ModelError } from '../errors.ts';
import { MODEL, type RelationDocument, type SecretDocument } from '../model/documents.ts';
import { applicationOf } from '../model/names.ts';
import { remoteEndpointOf } from '../model/relations.ts';
import {
  contentOf,
  mayManage,
  mayRead,
  parseSecretUri,
  secretUriModel,
  withConsumer,
  withGrant,
  withoutGrants,
  withRefresh,
} from '../model/secrets.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import { findRelation, RELATION_FLAG, requireRelation } from './relation-argument.ts';
import { requireManaged, requireSecretId } from './secret-arguments.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const secretGet: Tool = {
  name: 'secret-get',
  summary: 'Get the content of a secret.',
  usage: '[options] <ID> [key[#base64]]',
  flags: {
    ...OUTPUT_FLAGS,
    label: { kind: 'text' },
    peek: { kind: 'boolean' },
    refresh: { kind: 'boolean' },
  },
  run(call) {
    const [uri, key, ...extra] = call.args;
    refuseExtra(extra);
    const label = call.flags.text('label') ?? '';
    if (uri === undefined && label === '') {
      throw usageError('require either a secret URI or label');
    }
    if (call.flags.boolean('peek') && call.flags.boolean('refresh')) {
      throw usageError('specify one of --peek or --refresh but not both');
    }
    const secret = uri === undefined ? byLabel(call, label) : byUri(call, uri);
    if (!mayRead(secret, call.context.unit)) {
      throw new ToolError('permission denied');
    }
    if (uri !== undefined && label !== '') {
      assignLabel(call, secret, label);
    }
    const content = readContent(call, secret);
    return answer(call, select(content, key), ['yaml', 'json']);
  },
};

function byUri({ context }: ToolCall, uri: string): SecretDocument {
  const id = parseSecretUri(uri);
  if (id === undefined) {
    throw usageError(`secret URI ${JSON.stringify(uri)} not valid`);
  }
  const secret = context.findSecret(id);
  // Without a model the URI is one of this model.
  if (secret === undefined || (secret.source ?? '') !== otherModel(context, uri)) {
    throw new ToolError(`secret ${JSON.stringify(id)} not found`);
  }
  return secret;
}

/** The uuid of another model that the URI names; else empty. */
function otherModel({ store }: ToolCall['context'], uri: string): string {
  const named = secretUriModel(uri) ?? '';
  return named === store.require('model', MODEL).uuid ? '' : named;
}

/** An owner's label first, then one this unit gave a secret of somebody else. */
function byLabel({ context }: ToolCall, label: string): SecretDocument {
  const secrets = context.secrets.drafts();
  const owned = secrets.find(
    (secret) =>
      secret.label === label &&
      (secret.owner.name === context.unit || secret.owner.name === context.application),
  );
  const consumed = secrets.find((secret) => secret.consumers[context.unit]?.label === label);
  const found = owned ?? consumed;
  if (found === undefined) {
    throw new ToolError(`consumer label ${JSON.stringify(label)} not found`);
  }
  return found;
}

/** Immediate for consumers; a change of the owner's metadata otherwise. */
function assignLabel({ context }: ToolCall, secret: SecretDocument, label: string): void {
  if (mayManage(secret, context.unit, context.isLeader())) {
    context.secrets.change(secret.id, (before) => ({ ...before, label }));
  } else if (secret.owner.name !== context.application) {
    context.store.transact((transaction) => {
      const before = transaction.require('secret', secret.id);
      transaction.put('secret', secret.id, withConsumer(before, context.unit, { label }));
    });
  }
}

function readContent(call: ToolCall, secret: SecretDocument): SecretContent {
  const { context, flags } = call;
  if (context.secrets.isCreatedHere(secret.id)) {
    return contentOf(secret, secret.latest) ?? {};
  }
  track(call, secret.id);
  if (flags.boolean('refresh')) {
    refresh(call, secret);
  }
  const current = context.findSecret(secret.id) ?? secret;
  const tracked = current.consumers[context.unit]?.tracked ?? current.latest;
  const latest = flags.boolean('peek') || flags.boolean('refresh');
  const content = contentOf(current, latest ? current.latest : tracked);
  if (content === undefined) {
    throw new ToolError(`secret revision ${JSON.stringify(`${secret.id}/${tracked}`)} not found`);
  }
  return content;
}

/** The first read, even a peek, makes the unit track what is the latest now. */
function track({ context }: ToolCall, id: string): void {
  const committed = context.store.get('secret', id);
  if (committed !== undefined && committed.consumers[context.unit] === undefined) {
    context.store.transact((transaction) => {
      transaction.put(
        'secret',
        id,
        withConsumer(transaction.require('secret', id), context.unit, {}),
      );
    });
  }
}

/** Notes the revision read here, not what may have come when the hook is committed: of that it must hear. */
function refresh({ context }: ToolCall, secret: SecretDocument): void {
  const { latest: seen } = context.findSecret(secret.id) ?? secret;
  context.secrets.change(secret.id, (before) => withRefresh(before, context.unit, seen));
}

function select(content: SecretContent, key: string | undefined) {
  const [name, form] = (key ?? '').split('#');
  if (name === undefined || name === '') {
    return Object.fromEntries(
      Object.entries(content).map(([each, value]) => [each, decode(value)]),
    );
  }
  const value = content[name];
  if (value === undefined) {
    throw new ToolError(`key ${JSON.stringify(name)} not found`);
  }
  return form === 'base64' ? value : decode(value);
}

function decode(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

const secretGrant: Tool = {
  name: 'secret-grant',
  summary: 'Grant access to a secret.',
  usage: '[options] <ID>',
  flags: { ...RELATION_FLAG, unit: { kind: 'text' } },
  run(call) {
    const [uri, ...extra] = call.args;
    const id = requireSecretId(uri);
    const relation = requireRelation(call);
    refuseExtra(extra);
    const app = remoteEndpointOf(relation, call.context.application)?.application ?? '';
    const unit = call.flags.text('unit');
    if (unit !== undefined && applicationOf(unit) !== app) {
      throw new ToolError(
        `cannot specify unit ${JSON.stringify(unit)} in relation to application ${JSON.stringify(app)}`,
      );
    }
    const { grants } = requireManaged(call, id);
    refuseAtCommit(call, relation, unit);
    if (unit === undefined && grants.some(({ target }) => target.startsWith(`${app}/`))) {
      throw new ToolError(
        'any unit level grants need to be revoked before granting access to the corresponding application',
      );
    }
    call.context.secrets.change(id, (secret) =>
      withGrant(secret, { target: unit ?? app, relation: relation.id }),
    );
    return undefined;
  },
};

/** Grants are checked with everything else that the hook wrote. */
function refuseAtCommit(
  { context }: ToolCall,
  { crossModel }: RelationDocument,
  unit: string | undefined,
): void {
  const remote = context.store.get('remote', crossModel?.remote ?? '');
  if (remote === undefined || (remote.kind === 'proxy' && unit === undefined)) {
    return;
  }
  const what = unit === undefined ? 'consumer secrets' : 'secrets with a unit';
  context.secrets.refuse(
    new ModelError(`sharing ${what} across a cross model relation not supported`),
  );
}

const secretRevoke: Tool = {
  name: 'secret-revoke',
  summary: 'Revoke access to a secret.',
  usage: '[options] <ID>',
  flags: {
    ...RELATION_FLAG,
    app: { kind: 'text', aliases: ['application'] },
    unit: { kind: 'text' },
  },
  run(call) {
    const [uri, ...extra] = call.args;
    const id = requireSecretId(uri);
    refuseExtra(extra);
    const app = call.flags.text('app');
    const unit = call.flags.text('unit');
    if (app !== undefined && unit !== undefined) {
      throw usageError('specify only one of application or unit');
    }
    if (call.flags.given('relation') && app !== undefined) {
      throw usageError('do not specify both relation and app');
    }
    const relation = findRelation(call);
    const target = unit ?? app;
    if (target === undefined && relation === undefined) {
      throw usageError('missing relation or application or unit');
    }
    requireManaged(call, id);
    call.context.secrets.change(id, (secret) =>
      withoutGrants(secret, (grant) =>
        target === undefined ? grant.relation === relation?.id : grant.target === target,
      ),
    );
    return undefined;
  },
};

export const secretAccessTools: readonly Tool[] = [secretGet, secretGrant, secretRevoke];
