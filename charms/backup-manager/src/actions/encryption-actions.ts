/** Actions about the keys of encrypted backups: rotate-key, change-passphrase and recovery-kit. */
import type { ActionEvent } from '#ops';
import { HintError, hasErrorCode } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import type { Manager } from '../manager.ts';
import { applicationPrefix, type RetentionTarget } from '../retention-targets.ts';
import type { Kit } from '../storage.ts';
import { assertLeader, flagParameter, textParameter } from './action-checks.ts';
import { chooseTargets } from './retention-actions.ts';

type Actions = BackupManagerTypes['actions'];

/** Backups from now on get a new key; earlier ones stay readable. */
export async function rotateKey(
  event: ActionEvent<Actions['rotate-key']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const passphrases = requiredPassphrases(manager);
  const targets = chooseTargets(manager, textParameter(event, 'database'));
  const keys = await forEach(targets, async ({ prefix, database }) => {
    const keyId = await manager.askStorage(
      async (storage, config, signal) =>
        await storage.rotateKey(config, prefix, { passphrases, signal }),
    );
    return `${database}: ${keyId}`;
  });
  event.setResults({
    keys: keys.join('\n'),
    message:
      'the next backups use these keys and share no data with earlier ones, which stay readable',
    next: `the recovery kit you have does not open them; run: juju run ${manager.unitName} recovery-kit`,
  });
}

/** What the old passphrase opens is opened by the new one only; backups are not touched. */
export async function changePassphrase(
  event: ActionEvent<Actions['change-passphrase']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const [to = '', from] = requiredPassphrases(manager);
  if (from === undefined) {
    throw new HintError('the encryption secret holds one passphrase only', {
      code: 'nothing-to-do',
      hint: 'run: juju update-secret … passphrase#file=NEW previous-passphrase#file=OLD, then repeat',
    });
  }
  const prefixes = await encryptedPrefixes(manager);
  const outcomes = await forEach(prefixes, async (prefix) => {
    const count = await manager.askStorage(
      async (storage, config, signal) =>
        await storage.changePassphrase(config, prefix, { from, to, signal }),
    );
    return `${prefix}: ${count === 0 ? 'opened by the new passphrase already' : `${count} ${count === 1 ? 'key' : 'keys'} changed`}`;
  });
  event.setResults({
    keys: outcomes.join('\n') || 'no backup here is encrypted',
    message: 'the new passphrase opens them all; recovery kits stay valid',
    next: 'take the old one out, run: juju update-secret … passphrase#file=NEW',
  });
}

/** The keys themselves, into a secret that only the administrator of the model can read. */
export async function recoveryKit(
  event: ActionEvent<Actions['recovery-kit']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  if (flagParameter(event, 'remove') === true) {
    const wasThere = manager.encryption.forgetKit();
    event.setResults({ message: wasThere ? 'the kit is gone from Juju' : 'there was none' });
    return;
  }
  const passphrases = requiredPassphrases(manager);
  const kits: Kit[] = [];
  await forEach(await encryptedPrefixes(manager), async (prefix) => {
    kits.push(
      await manager.askStorage(
        async (storage, config, signal) =>
          await storage.recoveryKit(config, prefix, { passphrases, signal }),
      ),
    );
  });
  const keyIds = kits.flatMap((kit) => kit.keyIds);
  if (keyIds.length === 0) {
    throw new HintError('no backup here is encrypted yet', {
      code: 'nothing-to-do',
      hint: `make one first, run: juju run ${manager.unitName} create-backup`,
    });
  }
  const id = manager.encryption.keepKit(kits.map(({ text }) => text).join('\n'));
  event.setResults({
    secret: id,
    keys: keyIds.join(', '),
    show: `juju show-secret --reveal ${id}`,
    message: 'print it, lock it away where the backups are not, then take it out of Juju',
    next: `juju run ${manager.unitName} recovery-kit remove=true`,
  });
}

/** Where there is something encrypted, below the configured path, whoever made it; and where there will be. */
async function encryptedPrefixes(manager: Manager): Promise<readonly string[]> {
  const { backups } = await manager.askStorage(
    async (storage, config, signal) => await storage.list(config, { signal }),
  );
  const prefixes = backups
    .filter(({ keyId }) => keyId !== undefined)
    .flatMap(({ artefactPath }) => applicationPrefix(artefactPath) ?? []);
  return [...new Set([...prefixes, ...presentPrefixes(manager)])].toSorted();
}

/** A key that was made for the next backup has encrypted none yet. */
function presentPrefixes(manager: Manager): readonly string[] {
  try {
    return chooseTargets(manager, undefined).map(({ prefix }: RetentionTarget) => prefix);
  } catch (error) {
    if (hasErrorCode(error, 'nothing-to-do')) {
      return [];
    }
    throw error;
  }
}

function requiredPassphrases(manager: Manager): readonly string[] {
  const passphrases = manager.encryption.passphrases();
  if (passphrases === undefined) {
    throw new HintError('backups are not encrypted', {
      code: 'not-encrypted',
      hint: `to encrypt them, run: juju config ${manager.application} encryption=secret:…`,
    });
  }
  return passphrases;
}

/** One after the other: each derives keys, which takes memory. */
async function forEach<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const item of items) {
    // oxlint-disable-next-line no-await-in-loop
    results.push(await act(item));
  }
  return results;
}
