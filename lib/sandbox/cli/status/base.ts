/** How a base is shown: the risk `stable` goes without saying. */
import type { BaseInfo } from '../../api-status.ts';

/** `22.04` of `22.04/stable`; other risks stay. */
export function shownChannel({ channel }: BaseInfo): string {
  return channel.replace(/\/stable$/, '');
}

/** `ubuntu@22.04`. */
export function shownBase(base: BaseInfo): string {
  return `${base.name}@${shownChannel(base)}`;
}
