/** The bodies of requests, as schemas: those that check them, where they are schemas. */
import * as z from 'zod';
import { ACTIONS } from '../../core/action/request.ts';
import { MAX_BATCH_JOBS } from '../../core/batch/limits.ts';
import { OPTION_LIMITS } from '../../core/job/limits.ts';
import { WireFilter } from '../../core/list/wire-filter.ts';
import { TaskSubscription, WebhookSubscription } from '../../core/topic/subscription-options.ts';
import { AgainRequest } from '../deliveries.ts';
import { FailureReport, ProgressReport } from '../external-worker.ts';

const filter = WireFilter()
	.omit({ id: true, idempotencyKey: true, tag: true })
	.extend({
		tag: z
			.union([z.string(), z.array(z.string()).max(OPTION_LIMITS.tags.max)])
			.optional()
			.meta({ description: 'One tag, or several that a job must all have' }),
	})
	.meta({ id: 'ActionFilter', description: 'At least one member. The jobs that match all of them' });

export const ActionBody = z.strictObject({ action: z.enum(ACTIONS), filter }).meta({ id: 'ActionRequest' });

export const BatchBody = z
	.strictObject({
		jobs: z
			.array(z.unknown().meta({ override: { $ref: '#/components/schemas/Submission' } }))
			.min(1)
			.max(MAX_BATCH_JOBS),
	})
	.meta({ id: 'BatchRequest' });

export const SubscriptionBody = z
	.union([
		WebhookSubscription().meta({ id: 'WebhookSubscription', description: 'Events are sent to a webhook' }),
		TaskSubscription().meta({ id: 'TaskSubscription', description: 'Each event becomes a job' }),
	])
	.meta({ id: 'SubscriptionRequest' });

export const DeliveryBody = AgainRequest().meta({ id: 'DeliveryRequest' });
export const ProgressBody = ProgressReport().meta({ id: 'ProgressReport' });
export const FailureBody = FailureReport().meta({ id: 'FailureReport' });

export const CloudEvent = z
	.looseObject({
		specversion: z.literal('1.0'),
		type: z.string(),
		source: z.string(),
		id: z.string(),
		datacontenttype: z.string().optional(),
		data: z.unknown().optional(),
		data_base64: z.base64().optional(),
	})
	.meta({ id: 'CloudEvent', description: 'CloudEvents 1.0, JSON format' });
