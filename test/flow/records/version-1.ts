/**
 * Records that version 0.1.0 of this project wrote, byte for byte. A deployment's objects contain them on the day of its
 * upgrade. They never change; a new shape gets a file of its own in this folder.
 */

const ACCEPTED_AT = Date.UTC(2026, 10, 20, 12);

const common = {
	version: 1,
	submission: '5a0b6b3e-7c0e-4a39-9d6e-0f4f7a5f9a11',
	tenant: 'default',
	task: 'sleep',
	lane: 'long',
	options: {
		correlationId: 'order-42',
		delaySeconds: 0,
		timeoutSeconds: 60,
		maxAttempts: 4,
		retainSeconds: 86_400,
		tags: ['order'],
	},
	parameters: {},
	input: {
		sizeBytes: 13,
		mediaType: 'application/json',
		inline: new TextEncoder().encode('{"seconds":0}'),
		form: 'json',
	},
	epoch: 1,
	createdAt: ACCEPTED_AT,
	epochAt: ACCEPTED_AT,
} as const;

const acceptedEvent = { type: 'accepted', at: ACCEPTED_AT, seq: 1, epoch: 1, attempt: 0 } as const;
const startedEvent = { type: 'started', at: ACCEPTED_AT + 20, seq: 2, epoch: 1, attempt: 1 } as const;
const broken = { code: 'TaskFailed', message: 'The task failed' };

export const VERSION_1 = {
	'waiting for its first attempt': {
		...common,
		attempt: 0,
		lostAttempts: 0,
		seq: 1,
		updatedAt: ACCEPTED_AT,
		state: {
			name: 'pending',
			notBefore: ACCEPTED_AT,
			resends: 0,
			wakes: 0,
			sentAt: ACCEPTED_AT,
			checkAt: ACCEPTED_AT + 20_000,
		},
		history: [acceptedEvent],
	},
	'with an attempt that the deploy ended': {
		...common,
		attempt: 1,
		lostAttempts: 0,
		seq: 2,
		startedAt: ACCEPTED_AT + 20,
		updatedAt: ACCEPTED_AT + 20,
		state: {
			name: 'running',
			attemptStartedAt: ACCEPTED_AT + 20,
			leaseEndsAt: ACCEPTED_AT + 80_020,
			canceling: false,
		},
		history: [acceptedEvent, startedEvent],
	},
	'between two attempts, with a webhook': {
		...common,
		attempt: 1,
		lostAttempts: 0,
		seq: 3,
		startedAt: ACCEPTED_AT + 20,
		updatedAt: ACCEPTED_AT + 40,
		progress: { message: 'Attempt 1 of 4 failed: The task failed' },
		webhook: {
			url: 'https://receiver.example/hook',
			events: ['succeeded', 'failed', 'canceled'],
			format: 'standard',
			origin: 'https://coatcheck.example',
			deliveries: [],
		},
		state: {
			name: 'pending',
			notBefore: ACCEPTED_AT + 700,
			resends: 0,
			wakes: 0,
			sentAt: ACCEPTED_AT + 40,
			checkAt: ACCEPTED_AT + 20_700,
		},
		history: [
			acceptedEvent,
			startedEvent,
			{
				type: 'retrying',
				at: ACCEPTED_AT + 40,
				nextAttemptAt: ACCEPTED_AT + 700,
				error: broken,
				seq: 3,
				epoch: 1,
				attempt: 1,
			},
		],
	},
} as const;

/** The messages that 0.1.0 sent for such a job. */
export const messageOfVersion1 = (id: string) => ({ v: 1, id, epoch: 1 });
