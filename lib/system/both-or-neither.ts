/**
 * Waits for both. Where one fails, disposes of what the other gave, if that can be disposed of, and throws; where both
 * fail, the failure of the first counts.
 */
export async function bothOrNeither<Left, Right>(
  left: Promise<Left>,
  right: Promise<Right>,
): Promise<readonly [Left, Right]> {
  const [first, second] = await Promise.allSettled([left, right]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') {
    return [first.value, second.value];
  }
  for (const settled of [first, second]) {
    if (settled.status === 'fulfilled' && isAsyncDisposable(settled.value)) {
      // One after the other; there is at most one.
      // oxlint-disable-next-line no-await-in-loop
      await settled.value[Symbol.asyncDispose]();
    }
  }
  throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason;
}

function isAsyncDisposable(value: unknown): value is AsyncDisposable {
  return typeof value === 'object' && value !== null && Symbol.asyncDispose in value;
}
