/**
 * SCRAM-SHA-256 verifiers, so that PostgreSQL never sees a password in clear: statements may end
 * in its log. Format: https://www.postgresql.org/docs/current/catalog-pg-authid.html
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

// The server's own default (scram_iterations).
const ITERATIONS = 4096;

/** The verifier to give in `ALTER ROLE … PASSWORD`; the password must be ASCII (no SASLprep here). */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
