/** How a dispatch ends before its handlers do, with success. */

/**
 * Thrown where nothing more of this dispatch may run: no further handler, no collecting of statuses.
 * dispatch() ends with success on it. A handler that catches everything must throw it on.
 */
export class DispatchEnd extends Error {
  override readonly name = 'DispatchEnd';
}
