/** `expect` with the matchers of #ops/testing, declared to jest. */
import { expect } from '@jest/globals';
import { type OpsMatchers, opsMatchers } from '#ops/testing';

expect.extend(opsMatchers);

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends OpsMatchers<R> {}
}

export { expect };
