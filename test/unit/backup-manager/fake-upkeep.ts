/** Upkeep that never begins anything: it notes what it was told, and knows the records it was given. */
import { HintError } from '#system';
import type {
  UpkeepAccess,
  UpkeepPort,
  UpkeepRecord,
  UpkeepTask,
} from '../../../charms/backup-manager/src/upkeep/upkeep.ts';

export class FakeUpkeep implements UpkeepPort {
  readonly started: UpkeepTask[] = [];
  readonly cancelled: string[] = [];
  known: UpkeepRecord[] = [];
  /** Whether as much as may be runs already. */
  isBusy = false;

  /** In bytes per second. */
  rate: number | undefined;
  readonly passphrasesSeen: (readonly string[] | undefined)[] = [];

  async limit(rate: number | undefined): Promise<void> {
    this.rate = rate;
  }

  async start(task: UpkeepTask, access: UpkeepAccess, now: Date): Promise<UpkeepRecord> {
    if (this.isBusy) {
      throw new HintError('cannot begin now', { code: 'busy', hint: 'wait' });
    }
    this.started.push(task);
    this.passphrasesSeen.push(access.passphrases);
    const record: UpkeepRecord = {
      id: `${task.kind}-${this.started.length}`,
      kind: task.kind,
      subject: task.subject,
      state: 'running',
      startedAt: now.toISOString(),
    };
    this.known = [record, ...this.known];
    return record;
  }

  async records(): Promise<readonly UpkeepRecord[]> {
    return this.known;
  }

  cancel({ id }: UpkeepRecord): void {
    this.cancelled.push(id);
  }

  async forget(): Promise<number> {
    const before = this.known.length;
    this.known = this.known.filter(({ state }) => state === 'running');
    return before - this.known.length;
  }

  async remove(): Promise<void> {
    this.known = [];
  }
}
