/** Tells the demo's story: headings, commands as one would type them, and their real output. */

export interface Narrator {
  heading(text: string): void;
  say(text: string): void;
  command(text: string): void;
  output(text: string): void;
  /** Shows a line that the next progress line replaces, where the terminal can. */
  progress(text: string): void;
}

/** Writes to standard output; colours and replaced lines only on a terminal. */
export function createNarrator(stream: NodeJS.WriteStream = process.stdout): Narrator {
  const tty: boolean = stream.isTTY;
  const style = (code: string, text: string) => (tty ? `\u001B[${code}m${text}\u001B[0m` : text);
  let open = false;
  let last = '';
  const write = (text: string) => {
    if (open) {
      stream.write('\n');
      open = false;
    }
    stream.write(`${text}\n`);
  };
  return {
    heading: (text) => write(`\n${style('1', `== ${text}`)}`),
    say: (text) => write(text),
    command: (text) => write(`${style('32', '$')} ${style('1', text)}`),
    output: (text) => {
      if (text.trim() !== '') {
        write(text.replace(/\n+$/, ''));
      }
    },
    progress: (text) => {
      if (text === last) {
        return;
      }
      last = text;
      if (tty) {
        stream.write(`\r\u001B[K  ${text}`);
        open = true;
      } else {
        write(`  ${text}`);
      }
    },
  };
}
