/** This repository's deployment with the two tasks of the comparison. */
import { coatcheck } from '../../src/coatcheck.ts';
import { tasks } from '../../src/tasks/index.ts';
import { echo, wait } from './tasks.ts';

export * from './objects.ts';

export default coatcheck({ tasks: [...tasks, wait, echo] });
