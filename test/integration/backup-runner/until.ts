/** Waiting for what processes do. */

// Only what hangs for good comes to it.
const DEADLINE_MS = 60_000;

/** Polls until there is an answer. */
export async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  let answer: T | undefined;
  await untilSo(what, async () => {
    answer = ask();
    return answer !== undefined;
  });
  return answer as T;
}

/** Polls until it is so, `everyMs`: looking may cost more than what is waited for. */
export async function untilSo(
  what: string,
  isSo: () => Promise<boolean>,
  everyMs = 10,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) {
      throw new Error(`waited in vain until ${what}`);
    }
    await pause(everyMs);
  }
}

/** A moment. */
export async function pause(ms = 10): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
