/** Checks the queues: each lane's producers, their consumers, and the dead letters. Pure. */
import { queuePurpose } from '../../src/queue/purpose.ts';
import type { QueueConsumer, QueueProducer, WranglerConfig } from '../configuration/config.ts';
import { DEAD_LETTERS_BINDING, LANE_CONSUMER, LANES } from '../configuration/wanted.ts';
import { additionFor, settingFor } from './advice.ts';
import { error, type Finding, warning } from './finding.ts';

const LANE_BINDING = /^LANE_([A-Z]+)_(\d+)$/;
/** Batches of lanes that only this Worker has. */
const DEFAULT_MAX_BATCH = 100;
/** The platform's settings for a consumer that has none of its own, when it is deployed. */
const PLATFORM_DEFAULTS = { max_batch_size: 10, max_batch_timeout: 5, max_retries: 3 } as const;

interface LaneQueue extends QueueProducer {
	readonly lane: string;
	readonly number: number;
}

export function checkQueues(config: WranglerConfig): Finding[] {
	const { producers } = config.queues;
	const queues = producers.flatMap((producer) => {
		const [, name, number] = LANE_BINDING.exec(producer.binding) ?? [];
		return name === undefined ? [] : [{ ...producer, lane: name.toLowerCase(), number: Number(number) }];
	});
	return [
		...checkLanes(queues, config),
		...queues.flatMap((queue) => checkLaneQueue(queue, queues, config)),
		...checkDeadLetters(config),
	];
}

function checkLanes(queues: readonly LaneQueue[], config: WranglerConfig): Finding[] {
	const lanes = new Set(queues.map(({ lane }) => lane));
	return LANES.filter(({ lane }) => !lanes.has(lane)).map(({ lane }) => {
		const producer = `binding = "LANE_${lane.toUpperCase()}_1", queue = "${config.name ?? '…'}-${lane}"`;
		const fix = additionFor(config, 'queues.producers', producer);
		return lane === 'jobs'
			? error('NoLane', 'The lane jobs has no queue (binding LANE_JOBS_1): no job would run', fix)
			: warning('NoLane', `The lane ${lane} has no queue: its work goes to the lane jobs`, fix);
	});
}

function checkLaneQueue(
	{ binding, queue, lane, number }: LaneQueue,
	queues: readonly LaneQueue[],
	config: WranglerConfig,
): Finding[] {
	const found: Finding[] = [];
	const purpose = queuePurpose(queue, new Set(queues.map((one) => one.lane)));
	const isNamed = purpose.type === 'lane' && purpose.lane === lane && purpose.index === number - 1;
	const ending = number === 1 ? `-${lane}` : `-${lane}-${number}`;
	if (!isNamed)
		found.push(error('QueueName', `${binding}: expected a queue whose name ends with ${ending}, got ${queue}`));
	if (number > 1 && !queues.some((one) => one.lane === lane && one.number === number - 1))
		found.push(error('LaneGap', `${binding}: expected LANE_${lane.toUpperCase()}_${number - 1} before it`));
	const consumer = config.queues.consumers.find((one) => one.queue === queue);
	const fix = additionFor(config, 'queues.consumers', `queue = "${queue}"`);
	if (consumer === undefined)
		found.push(error('NoConsumer', `The queue ${queue} has no consumer: its jobs would never run`, fix));
	else found.push(...checkConsumer(consumer, lane, config));
	return found;
}

function checkConsumer(consumer: QueueConsumer, lane: string, config: WranglerConfig): Finding[] {
	const { queue, dead_letter_queue, max_batch_size = PLATFORM_DEFAULTS.max_batch_size } = consumer;
	const most = LANES.find((one) => one.lane === lane)?.maxBatchSize ?? DEFAULT_MAX_BATCH;
	const found: Finding[] = [];
	if (dead_letter_queue === undefined)
		found.push(
			error(
				'NoDeadLetters',
				`${queue}: after its last retry, a message would be deleted`,
				settingFor(config, 'queues.consumers', 'dead_letter_queue = "…-dead-letters"'),
			),
		);
	if (max_batch_size > most)
		found.push(
			warning(
				'BatchSize',
				`${queue}: a batch of ${max_batch_size} lasts as long as its slowest job`,
				settingFor(config, 'queues.consumers', `max_batch_size = ${most}`),
			),
		);
	return [...found, ...checkPace(consumer, config)];
}

function checkPace(consumer: QueueConsumer, config: WranglerConfig): Finding[] {
	const { queue, max_batch_timeout, max_retries } = consumer;
	const timeout = max_batch_timeout ?? PLATFORM_DEFAULTS.max_batch_timeout;
	const retries = max_retries ?? PLATFORM_DEFAULTS.max_retries;
	const found: Finding[] = [];
	if (timeout > LANE_CONSUMER.max_batch_timeout)
		found.push(
			warning(
				'BatchTimeout',
				`${queue}: a job waits up to ${timeout} s for others`,
				settingFor(config, 'queues.consumers', `max_batch_timeout = ${LANE_CONSUMER.max_batch_timeout}`),
			),
		);
	if (retries < LANE_CONSUMER.max_retries)
		found.push(
			warning(
				'Retries',
				`${queue}: the queue gives up after ${retries} retries, and the job decides about its own`,
				settingFor(config, 'queues.consumers', `max_retries = ${LANE_CONSUMER.max_retries}`),
			),
		);
	return found;
}

function checkDeadLetters(config: WranglerConfig): Finding[] {
	const { producers, consumers } = config.queues;
	const named = new Set(consumers.flatMap(({ dead_letter_queue }) => dead_letter_queue ?? []));
	return [...named].flatMap((queue) => {
		const found: Finding[] = [];
		if (queuePurpose(queue, new Map()).type !== 'dead letters')
			found.push(error('QueueName', `Expected a dead-letter queue whose name ends with -dead-letters, got ${queue}`));
		if (!consumers.some((one) => one.queue === queue))
			found.push(
				error(
					'NoConsumer',
					`The queue ${queue} has no consumer: its jobs would never fail visibly`,
					additionFor(config, 'queues.consumers', `queue = "${queue}"`),
				),
			);
		if (!producers.some((one) => one.queue === queue))
			found.push(
				error(
					'NotCreated',
					`A deploy would not create the queue ${queue}, because it has no binding`,
					settingFor(config, 'queues.producers', `binding = "${DEAD_LETTERS_BINDING}"`),
				),
			);
		return found;
	});
}
