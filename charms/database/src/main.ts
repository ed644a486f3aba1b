/** Entry of the packed charm: one dispatch of Juju. */
import { main } from '#ops';
import { DatabaseCharm } from './charm.ts';

void main(DatabaseCharm);
