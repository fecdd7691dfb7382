/** The Worker of this deployment. List your tasks in `tasks/index.ts`. */
import { coatcheck } from './coatcheck.ts';
import { tasks } from './tasks/index.ts';

export { BatchObject, JobObject, TenantObject, TopicObject, UpstreamGate } from './coatcheck.ts';
export default coatcheck({ tasks });
