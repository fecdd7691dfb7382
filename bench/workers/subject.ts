/** This repository's deployment with the two tasks of the comparison. */
import { coatcheck } from '../../src/coatcheck.ts';
import { tasks } from '../../src/tasks/index.ts';
import { echo, wait } from './tasks.ts';

export { BatchObject } from '../../src/object/batch-object.ts';
export { JobObject } from '../../src/object/job-object.ts';
export { TenantObject } from '../../src/object/tenant-object.ts';
export { TopicObject } from '../../src/object/topic-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';

export default coatcheck({ tasks: [...tasks, wait, echo] });
