/** The Worker of this deployment. List your tasks in `tasks/index.ts`, or use `coatcheck` in your own Worker. */
import { coatcheck } from './coatcheck.ts';
import { tasks } from './tasks/index.ts';

export { BatchObject } from './object/batch-object.ts';
export { JobObject } from './object/job-object.ts';
export { TenantObject } from './object/tenant-object.ts';
export { TopicObject } from './object/topic-object.ts';
export { UpstreamGate } from './object/upstream-gate.ts';
export default coatcheck({ tasks });
