/** This deployment. It is yours: list your tasks in `tasks/index.ts`, or take `coatcheck` into a Worker of your own. */
import { coatcheck } from './coatcheck.ts';
import { tasks } from './tasks/index.ts';

export { BatchObject } from './object/batch-object.ts';
export { JobObject } from './object/job-object.ts';
export { TenantObject } from './object/tenant-object.ts';
export { UpstreamGate } from './object/upstream-gate.ts';
export default coatcheck({ tasks });
