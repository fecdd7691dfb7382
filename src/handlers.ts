/**
 * Creates a Worker's handlers for a deployment's tasks. To add it to an existing Worker, call `fetch` for its paths
 * and `queue` for its queues, and export the object classes.
 */
import { type Config, readConfig } from './config/config.ts';
import { NotConfigured } from './config/not-configured.ts';
import { defined } from './core/defined.ts';
import { createTeller, type Deployment, type DoorEnv, handleRequest, missingBinding } from './http/door.ts';
import { logError } from './log.ts';
import { consume, type Handlers, putOff } from './queue/consume.ts';
import { lanesOf } from './queue/lanes.ts';
import { noteWait } from './queue/pressure.ts';
import { queuePurpose } from './queue/purpose.ts';
import { AttemptsNow } from './queue/run-now.ts';
import { Gates } from './rpc/gates.ts';
import { Jobs } from './rpc/jobs.ts';
import { Lists } from './rpc/lists.ts';
import { type WithExports, withOwnObjects } from './rpc/own-objects.ts';
import { Tenants } from './rpc/tenants.ts';
import { Topics } from './rpc/topics.ts';
import type { SubscriptionDependencies } from './subscription/serve.ts';
import { signToken } from './token/token.ts';
import { Connections } from './webhook/connections.ts';
import type { DeliveryDependencies } from './webhook/deliver.ts';
import type { ActionDependencies } from './work/action/dependencies.ts';
import type { AttemptDependencies } from './work/attempt.ts';
import { handleMessage } from './work/handle-message.ts';
import { createRegistry } from './work/registry.ts';
import type { AnyTask } from './work/task.ts';

export interface CoatcheckOptions {
	/** The tasks of this deployment. */
	readonly tasks: readonly AnyTask[];
}

/** A Worker that calls `queue` without its context ends with the batch: then the list of jobs asks for news. */
type WaitUntil = Pick<ExecutionContext, 'waitUntil'>;

/** The handlers of a Worker. A Worker with handlers of its own calls them. */
export interface CoatcheckHandlers {
	/**
	 * Answers every path under `/v1`, `/healthz`, `/metrics`, `/openapi.json`, `/asyncapi.json`, `/mcp`, `/a2a`,
	 * `/.well-known/oauth-protected-resource`, `/.well-known/agent-card.json`, and the paths of the dashboard.
	 */
	fetch(request: Request, env: object, ctx: ExecutionContext): Promise<Response>;
	/**
	 * Handles the messages of a queue whose name ends with a lane, or with `dead-letters`.
	 *
	 * @param ctx may be left out only where the objects have bindings.
	 */
	queue(batch: MessageBatch, env: object, ctx?: WaitUntil & WithExports): Promise<void>;
}

/** A request or a batch, whose attempts run on a lane. */
interface Invocation {
	readonly config: Config;
	readonly ctx: WaitUntil | undefined;
	readonly lane: string;
}

/** @throws {TypeError} for an invalid task, with its name and the reason. */
export function coatcheck({ tasks }: CoatcheckOptions): CoatcheckHandlers {
	const registry = createRegistry(tasks);
	const attemptsNow = new AttemptsNow();
	const createDependencies = (env: DoorEnv, { config, ctx, lane }: Invocation): AttemptDependencies => ({
		...config,
		tasks: registry,
		jobs: createJobs(env, config, ctx),
		gates: new Gates(env.GATES),
		actions: createActionDependencies(env, config, ctx),
		sign: (grant) => signToken(config.signingKeys, grant),
		noteWait: (waitedMs) => noteWait(lane, waitedMs, Date.now()),
	});
	return {
		fetch(request, bindings, ctx) {
			const env: DoorEnv = withOwnObjects(bindings, ctx);
			const work: Handlers['work'] = (received) =>
				handleMessage(createDependencies(env, { config: readConfig(env), ctx, lane: 'now' }), received);
			const runner = { lanes: lanesOf(env), work };
			const runNow: Deployment['runNow'] = (message) => attemptsNow.run(runner, message);
			return handleRequest(request, { env, tasks: registry, runNow }, ctx);
		},
		async queue(batch, bindings, ctx) {
			const env: DoorEnv = withOwnObjects(bindings, ctx);
			const lanes = lanesOf(env);
			const purpose = queuePurpose(batch.queue, lanes);
			if (purpose.type === 'unknown') return refuseQueue(batch, [...lanes.keys()]);
			const missing = missingBinding(env);
			if (missing) return refuseBatch(batch, missing);
			const config = readConfigIfValid(env);
			if (purpose.type === 'dead letters') return failDeadJobs(batch, createJobs(env, config, ctx));
			if (!config) return putOff(batch);
			const dependencies = createDependencies(env, { config, ctx, lane: purpose.lane });
			const handlers: Handlers = {
				work: (received) => handleMessage(dependencies, received),
				...messageHandlers(createMessenger(env, config, dependencies)),
			};
			await consume(batch, { lanes, handlers, purpose });
		},
	};
}

async function failDeadJobs(batch: MessageBatch, jobs: Jobs): Promise<void> {
	const { consumeDeadLetters } = await import('./queue/dead-letters.ts');
	await consumeDeadLetters(batch, jobs);
}

function createActionDependencies(env: DoorEnv, config: Config, ctx: WaitUntil | undefined): ActionDependencies {
	const teller = createTeller(env, config, (promise) => ctx?.waitUntil(promise));
	const lists = new Lists(config.isListOn ? env.TOPICS : undefined);
	return { ...config, lists, teller, tenants: new Tenants(env.TENANTS), lanes: lanesOf(env) };
}

/** Calls to jobs that tell the list of jobs what they learn. */
function createJobs(env: DoorEnv, config: Config | undefined, ctx: WaitUntil | undefined): Jobs {
	const teller = config && createTeller(env, config, (promise) => ctx?.waitUntil(promise));
	return new Jobs(env.JOBS, teller?.tellSoon);
}

/** Webhooks and subscriptions. Both are loaded for their first message, because nothing else needs their signatures. */
function messageHandlers(messenger: DeliveryDependencies & SubscriptionDependencies): Omit<Handlers, 'work'> {
	return {
		deliver: async (message) => {
			const { deliver } = await import('./webhook/deliver.ts');
			return deliver(messenger, message);
		},
		serve: async (message) => {
			const { serveSubscription } = await import('./subscription/serve.ts');
			return serveSubscription(messenger, message);
		},
	};
}

/** The dependencies of deliveries and subscriptions. */
function createMessenger(
	env: DoorEnv,
	config: Config,
	{ tasks, jobs, actions: { teller } }: AttemptDependencies,
): DeliveryDependencies & SubscriptionDependencies {
	const tenants = new Tenants(env.TENANTS);
	const topics = env.TOPICS && new Topics(env.TOPICS);
	return {
		...config,
		...defined({ topics }),
		tasks,
		jobs,
		teller,
		tenants,
		lanes: lanesOf(env),
		connections: new Connections(),
	};
}

/** Retries the messages of an unknown queue. None is dropped: after the last retry they become dead letters. */
function refuseQueue(batch: MessageBatch, lanes: readonly string[]): void {
	const wanted = `a name that ends with a lane (${lanes.join(', ')}), a lane and the number of its queue from 2 on, or dead-letters`;
	logError('messages returned to the queue: unknown queue name', { queue: batch.queue, wanted });
	putOff(batch);
}

/** Retries the messages of a Worker that can't reach its objects. Without its context, it has only those that are bound. */
function refuseBatch(batch: MessageBatch, { message, variables }: NotConfigured): void {
	logError(`messages returned to the queue: ${message}`, { queue: batch.queue, variables });
	putOff(batch);
}

/** @returns `undefined` for a deployment that can't serve requests. */
function readConfigIfValid(env: object): Config | undefined {
	try {
		return readConfig(env);
	} catch (error) {
		if (!(error instanceof NotConfigured)) throw error;
		logError(error.message, { variables: error.variables });
		return undefined;
	}
}
