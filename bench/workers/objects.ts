/** The classes of objects that every deployment has. An earlier version under comparison gets those of its own `src/index.ts`. */
export { BatchObject } from '../../src/object/batch-object.ts';
export { JobObject } from '../../src/object/job-object.ts';
export { TenantObject } from '../../src/object/tenant-object.ts';
export { TopicObject } from '../../src/object/topic-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';
