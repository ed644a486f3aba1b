/** The passwords of the database's roles: made once, kept in a secret only this unit can read. */
import { randomBytes } from 'node:crypto';
import { type Model, SecretNotFoundError } from '#ops';
import type { Roles } from './database.ts';

const LABEL = 'database-roles';
const BACKUP_ROLE = 'juju_backup';
const ADMIN_ROLE = 'juju_admin';

/** Reads them, or makes new ones where there are none. */
export function ensureRoles(model: Model): Roles {
  const content = readSecret(model) ?? makeSecret(model);
  return {
    backup: { name: BACKUP_ROLE, password: content['backup-password'] ?? '' },
    admin: { name: ADMIN_ROLE, password: content['admin-password'] ?? '' },
  };
}

function readSecret(model: Model): Readonly<Record<string, string>> | undefined {
  try {
    return model.getSecret({ label: LABEL }).getContent();
  } catch (error) {
    if (error instanceof SecretNotFoundError) {
      return undefined;
    }
    throw error;
  }
}

function makeSecret(model: Model): Readonly<Record<string, string>> {
  const content = { 'backup-password': newPassword(), 'admin-password': newPassword() };
  // Should the hook fail, the secret is lost, and the next hook sets new passwords everywhere.
  model.unit.addSecret(content, {
    label: LABEL,
    description: 'Passwords of the roles of the database charm in this unit',
  });
  return content;
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}
