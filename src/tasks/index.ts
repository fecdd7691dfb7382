/** The tasks of this deployment: one file each, one line here. */
import { profileCsv } from './profile-csv.ts';
import { sleep } from './sleep.ts';
import { thumbnail } from './thumbnail.ts';

export const tasks = [profileCsv, sleep, thumbnail] as const;
