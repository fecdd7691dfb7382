/**
 * The classes of the objects, as a Worker exports and binds them. Only Coatcheck itself calls their methods, so their types here have
 * none.
 */
import type { DurableObject } from 'cloudflare:workers';
import { BatchObject as Batch } from './batch-object.ts';
import { JobObject as Job } from './job-object.ts';
import { TenantObject as Tenant } from './tenant-object.ts';
import { TopicObject as Topic } from './topic-object.ts';
import { UpstreamGate as Gate } from './upstream-gate.ts';

/** A class of Durable Objects. */
export type ObjectClass = new (ctx: DurableObjectState, env: object) => DurableObject<object>;

/** One job. */
export const JobObject: ObjectClass = Job;
export type JobObject = InstanceType<ObjectClass>;

/** The list of a batch's jobs. */
export const BatchObject: ObjectClass = Batch;
export type BatchObject = InstanceType<ObjectClass>;

/** The concurrency limit and the circuit breaker of an upstream. */
export const UpstreamGate: ObjectClass = Gate;
export type UpstreamGate = InstanceType<ObjectClass>;

/** The usage of a tenant. */
export const TenantObject: ObjectClass = Tenant;
export type TenantObject = InstanceType<ObjectClass>;

/** The events of a topic. The topic `jobs` is the list of jobs. */
export const TopicObject: ObjectClass = Topic;
export type TopicObject = InstanceType<ObjectClass>;
