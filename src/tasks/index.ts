/** The tasks of this deployment: one file each, one line here. */
import type { AnyTask } from '../work/task.ts';
import { profileCsv } from './profile-csv.ts';
import { sleep } from './sleep.ts';

export const tasks: readonly AnyTask[] = [profileCsv, sleep];
