/** Entry of the packed charm: one dispatch of Juju. */
import { main } from '#ops';
import { BackupManagerCharm } from './charm.ts';

void main(BackupManagerCharm);
