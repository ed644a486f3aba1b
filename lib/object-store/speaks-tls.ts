/** Finds out whether a port that does not answer http would answer https, to say so instead of "reset". */

/** Long enough for a handshake over a slow line; only ever paid in an error message. */
const PATIENCE_MS = 3000;

/** Whether a TLS handshake with the host and port of this URL succeeds, whatever its certificate. */
export async function speaksTls(endpoint: string): Promise<boolean> {
  // Only ever paid in an error message, too.
  const { connect } = await import('node:tls');
  const url = new URL(endpoint);
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  return await new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(url.port || 80),
      // Nothing is sent over this connection; it only looks.
      rejectUnauthorized: false,
      timeout: PATIENCE_MS,
    });
    const finish = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('secureConnect', finish(true));
    socket.once('error', finish(false));
    socket.once('timeout', finish(false));
    socket.once('close', finish(false));
  });
}
