/** The tasks of this deployment. Each has a file of its own and one line here. */
import { profileCsv } from './profile-csv.ts';
import { sleep } from './sleep.ts';
import { thumbnail } from './thumbnail.ts';

export const tasks = [profileCsv, sleep, thumbnail] as const;
