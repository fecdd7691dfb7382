/** The same deployment with a task that runs in the Worker that accepted its job. Version 0.1.0 has no lane `now`. */
import { coatcheck } from '../../src/coatcheck.ts';
import { tasks } from '../../src/tasks/index.ts';
import { defineTask } from '../../src/work/task.ts';
import { echo, wait } from './tasks.ts';

export * from './objects.ts';

const waitNow = defineTask({ ...wait, name: 'wait-now', lane: 'now' });

export default coatcheck({ tasks: [...tasks, wait, waitNow, echo] });
