/** The colours of `juju status`. https://github.com/juju/juju/blob/3.6/cmd/output/output.go */
import type { CommandIo } from '../io.ts';
import type { Cell, Colour } from '../output/table.ts';

/** Puts a text in a colour, or leaves it as it is. */
export type Paint = (text: string, colour: Colour | undefined) => Cell;

export const plain: Paint = (text) => text;

export const coloured: Paint = (text, colour) => (colour === undefined ? text : { text, colour });

/** As told, else on a terminal that is neither dumb nor asked to do without (`NO_COLOR`). */
export function choosePaint(
  told: { readonly color: boolean; readonly 'no-color': boolean },
  { isTerminal, env }: Pick<CommandIo, 'isTerminal' | 'env'>,
): Paint {
  const isAble = isTerminal && env['TERM'] !== 'dumb' && env['NO_COLOR'] === undefined;
  return told.color || (isAble && !told['no-color']) ? coloured : plain;
}

const STATUSES: Readonly<Record<Exclude<Colour, 'cyan'>, readonly string[]>> = {
  green: ['active', 'idle', 'started'],
  yellow: [
    'allocating',
    'executing',
    'lost',
    'maintenance',
    'pending',
    'rebooting',
    'stopped',
    'unknown',
  ],
  red: ['blocked', 'down', 'error', 'failed', 'provisioning error'],
};

/** That of a status; undefined for those that have none, such as `waiting`. */
export function statusColour(status: string): Colour | undefined {
  return (['green', 'yellow', 'red'] as const).find((colour) => STATUSES[colour].includes(status));
}
