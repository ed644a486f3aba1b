/** What a command may touch of the process it runs in; tests hand in their own. */
import { createInterface } from 'node:readline';

export interface CommandIo {
  /** Writes text as it is. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The next line of standard input without its newline; undefined at its end. */
  readonly readLine: () => Promise<string | undefined>;
  /** Everything that is left of standard input. */
  readonly readInput: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isTerminal: boolean;
  /** Aborts when the person interrupts the command. */
  readonly signal: AbortSignal;
}

/** The real standard streams. A reader of our output that went away ends the process quietly. */
export function processIo(signal: AbortSignal): CommandIo {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => process.exit(0));
  }
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    readLine: readLineOfStdin,
    readInput: readAllOfStdin,
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stdout.isTTY,
    signal,
  };
}

async function readLineOfStdin(): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      return line;
    }
    return undefined;
  } finally {
    lines.close();
    process.stdin.unref?.();
  }
}

async function readAllOfStdin(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) {
    pieces.push(Buffer.from(piece as Uint8Array));
  }
  return Buffer.concat(pieces).toString('utf8');
}
