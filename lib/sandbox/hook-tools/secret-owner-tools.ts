/** secret-add, secret-set, secret-remove, secret-info-get, secret-ids: what owners do. */
import type { JsonRecord } from '../json.ts';
import { MODEL, type RotatePolicy, type SecretDocument } from '../model/documents.ts';
import { nextRotation, withExpiry, withRotation } from '../model/secret-timers.ts';
import { mayManage, newSecretId, withContent, withoutRevision } from '../model/secrets.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import {
  CONTENT_FLAGS,
  expiry,
  parseContent,
  requireManaged,
  requireSecretId,
  rotatePolicy,
} from './secret-arguments.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const secretAdd: Tool = {
  name: 'secret-add',
  summary: 'Add a new secret.',
  usage: '[options] [key[#base64|#file]=value...]',
  flags: CONTENT_FLAGS,
  run(call) {
    const owner = ownerKind(call);
    const policy = rotatePolicy(call);
    const expires = expiry(call);
    const content = parseContent(call, call.args);
    if (Object.keys(content).length === 0) {
      throw usageError('missing secret value or filename');
    }
    const { context, flags } = call;
    if (owner === 'application' && !context.isLeader()) {
      throw new ToolError('this unit is not the leader');
    }
    const name = owner === 'application' ? context.application : context.unit;
    const label = flags.text('label') || undefined;
    refuseTakenLabel(call, { kind: owner, name }, label);
    const now = context.now();
    const id = newSecretId(context.services.clock.now());
    context.secrets.create({
      id,
      owner: { kind: owner, name },
      ...texts(label, flags.text('description') || undefined),
      ...rotating(policy ?? 'never', now),
      autoPrune: false,
      revisions: [
        { revision: 1, content, created: now, obsoleteTold: false, ...expiring(expires) },
      ],
      latest: 1,
      grants: [],
      consumers: {},
      created: now,
      updated: now,
    });
    const { uuid } = context.store.require('model', MODEL);
    return { stdout: `secret://${uuid}/${id}\n` };
  },
};

function texts(label: string | undefined, description: string | undefined) {
  return {
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
  };
}

function rotating(rotate: RotatePolicy, now: string) {
  const rotateAt = nextRotation(rotate, new Date(now))?.toISOString();
  return { rotate, ...(rotateAt === undefined ? {} : { rotateAt }) };
}

function expiring(expires: string | undefined) {
  return expires === undefined ? {} : { expires };
}

function ownerKind({ flags }: ToolCall): 'application' | 'unit' {
  const owner = flags.text('owner') ?? 'application';
  if (owner !== 'application' && owner !== 'unit') {
    throw usageError(`secret owner ${JSON.stringify(owner)} not valid`);
  }
  return owner;
}

function refuseTakenLabel(
  { context }: ToolCall,
  owner: { readonly kind: string; readonly name: string },
  label: string | undefined,
): void {
  const taken = context.secrets
    .drafts()
    .some(
      (secret) =>
        secret.owner.kind === owner.kind &&
        secret.owner.name === owner.name &&
        secret.label === label,
    );
  if (label !== undefined && taken) {
    throw new ToolError(`secret with label ${JSON.stringify(label)} already exists`);
  }
}

const secretSet: Tool = {
  name: 'secret-set',
  summary: 'Update an existing secret.',
  usage: '[options] <ID> [key[#base64]=value...]',
  flags: CONTENT_FLAGS,
  run(call) {
    const [uri, ...args] = call.args;
    const id = requireSecretId(uri);
    ownerKind(call);
    const policy = rotatePolicy(call);
    const expires = expiry(call);
    const content = parseContent(call, args);
    const { context, flags } = call;
    const label = flags.text('label');
    const description = flags.text('description');
    const now = context.now();
    if (context.findSecret(id) !== undefined) {
      requireManaged(call, id);
    }
    context.secrets.change(id, (secret) => {
      const labelled: SecretDocument = {
        ...secret,
        ...texts(label, description),
        updated: now,
      };
      const withPolicy =
        policy === undefined ? labelled : withRotation(labelled, policy, new Date(now));
      const updated =
        Object.keys(content).length === 0
          ? withPolicy
          : withContent(withPolicy, content, { now, ...expiring(expires) });
      return expires === undefined ? updated : withExpiry(updated, expires);
    });
    return undefined;
  },
};

const secretRemove: Tool = {
  name: 'secret-remove',
  summary: 'Remove an existing secret.',
  usage: '[options] <ID>',
  flags: { revision: { kind: 'text' } },
  run(call) {
    const [uri, ...extra] = call.args;
    const id = requireSecretId(uri);
    refuseExtra(extra);
    const text = call.flags.text('revision');
    if (text !== undefined && !/^[1-9]\d*$/.test(text)) {
      throw usageError(`invalid value ${JSON.stringify(text)} for option --revision`);
    }
    requireManaged(call, id);
    const revision = text === undefined ? undefined : Number(text);
    call.context.secrets.change(id, (secret) => withoutRevision(secret, revision));
    return undefined;
  },
};

const secretInfoGet: Tool = {
  name: 'secret-info-get',
  summary: "Get a secret's metadata info.",
  usage: '[options] <ID>',
  flags: { ...OUTPUT_FLAGS, label: { kind: 'text' } },
  run(call) {
    const [uri, ...extra] = call.args;
    refuseExtra(extra);
    const label = call.flags.text('label');
    if (uri !== undefined && label !== undefined) {
      throw usageError('specify either a secret URI or label but not both');
    }
    if (uri === undefined && label === undefined) {
      throw usageError('require either a secret URI or label');
    }
    const id = uri === undefined ? undefined : requireSecretId(uri);
    const secret = managed(call).find((one) =>
      id === undefined ? one.label === label : one.id === id,
    );
    if (secret === undefined) {
      throw new ToolError(`secret ${JSON.stringify(id ?? label ?? '')} not found`);
    }
    return answer(call, { [secret.id]: describe(call, secret) }, ['yaml', 'json']);
  },
};

function describe({ context }: ToolCall, secret: SecretDocument): JsonRecord {
  const committed = context.store.get('secret', secret.id);
  const expires = secret.revisions.at(-1)?.expires;
  return {
    // One made in this hook has a single revision when it is committed.
    revision: committed?.latest ?? 1,
    label: secret.label ?? '',
    owner: secret.owner.kind,
    ...(secret.description === undefined ? {} : { description: secret.description }),
    ...(secret.rotate === 'never' ? {} : { rotation: secret.rotate }),
    ...(secret.rotateAt === undefined ? {} : { rotates: secret.rotateAt }),
    ...(expires === undefined ? {} : { expiry: expires }),
    ...(secret.grants.length === 0
      ? {}
      : {
          access: secret.grants.map(({ target, relation }) => ({
            target: target.includes('/')
              ? `unit-${target.replace('/', '-')}`
              : `application-${target}`,
            scope: `relation-${relation ?? ''}`,
            role: 'view',
          })),
        }),
  };
}

const secretIds: Tool = {
  name: 'secret-ids',
  summary: 'Print secret IDs.',
  usage: '[options]',
  flags: OUTPUT_FLAGS,
  run(call) {
    refuseExtra(call.args);
    const ids = managed(call).map(({ id }) => id);
    // Juju's list is a nil slice when there are none.
    return answer(call, ids.length === 0 ? undefined : ids);
  },
};

function managed({ context }: ToolCall): readonly SecretDocument[] {
  const isLeader = context.isLeader();
  return context.secrets.drafts().filter((secret) => mayManage(secret, context.unit, isLeader));
}

export const secretOwnerTools: readonly Tool[] = [
  secretAdd,
  secretSet,
  secretRemove,
  secretInfoGet,
  secretIds,
];
