import { describe, expect, test } from '@jest/globals';
import { runProcess } from '#system';

describe('runProcess', () => {
  test('hands over standard input and collects both outputs', async () => {
    const result = await runProcess('/bin/sh', ['-c', 'cat; echo oops >&2'], { stdin: 'hello' });
    expect(result).toEqual({ exitCode: 0, stdout: 'hello', stderr: 'oops\n' });
  });

  test('fails on an exit code that was not accepted, with the last line of the error output', async () => {
    await expect(
      runProcess('/bin/sh', ['-c', 'echo first >&2; echo disk full >&2; exit 3'], {
        label: 'dump',
      }),
    ).rejects.toMatchObject({
      message: 'dump ended with exit code 3: disk full',
      code: 'process-failed',
      exitCode: 3,
    });
  });

  test('answers with an exit code that was accepted', async () => {
    const result = await runProcess('/bin/sh', ['-c', 'exit 4'], { acceptExitCodes: [0, 4] });
    expect(result.exitCode).toBe(4);
  });

  test('names a command that is not there', async () => {
    await expect(runProcess('no-such-command', [])).rejects.toMatchObject({
      message: expect.stringContaining('cannot run no-such-command'),
    });
  });

  test('kills a command that outlives its time', async () => {
    await expect(runProcess('/bin/sleep', ['60'], { timeoutMs: 50 })).rejects.toMatchObject({
      message: '/bin/sleep was killed by SIGKILL',
    });
  });

  test('gives the child none of our environment', async () => {
    process.env['PLANTED_SECRET'] = 'canary';
    const result = await runProcess('/usr/bin/env', []);
    delete process.env['PLANTED_SECRET'];
    expect(result.stdout).not.toContain('canary');
    expect(result.stdout).toContain('PATH=');
  });

  test('does not mind a child that closes its input early', async () => {
    const result = await runProcess('/bin/true', [], { stdin: 'x'.repeat(1_000_000) });
    expect(result.exitCode).toBe(0);
  });
});
