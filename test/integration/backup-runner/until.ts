/** Waiting for what processes do. */

const DEADLINE_MS = 20_000;

/** Polls until there is an answer. */
export async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = ask();
    if (answer !== undefined) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited in vain until ${what}`);
    }
    await pause();
  }
}

/** A moment. */
export async function pause(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
}
