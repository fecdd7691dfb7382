/** The client of the A2A SDK, as a program of its own, which knows only the address of the agent. Prints what it was told. */
import { ClientFactory } from './tools/node_modules/@a2a-js/sdk/dist/client/index.js';

const client = await new ClientFactory().createFromUrl(process.argv[2] ?? '');
const message = (data: object) => ({
	tenant: '',
	metadata: undefined,
	configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: false },
	message: {
		messageId: crypto.randomUUID(),
		contextId: 'sdk',
		taskId: '',
		role: 1,
		parts: [{ content: { $case: 'data' as const, value: data }, metadata: undefined, filename: '', mediaType: '' }],
		metadata: { skill: 'sleep' },
		extensions: [],
		referenceTaskIds: [],
	},
});

const task = (await client.sendMessage(message({ seconds: 1 }))) as {
	id: string;
	artifacts: unknown[];
	status: object;
};
const streamed: string[] = [];
let streamedId = '';
for await (const { payload } of client.sendMessageStream(message({ seconds: 1, steps: 2 }))) {
	streamed.push(payload?.$case ?? '');
	if (payload?.$case === 'task') streamedId = payload.value.id;
}
/** The list may lag behind the tasks. */
async function untilListed(ids: readonly string[]): Promise<number> {
	for (;;) {
		const query = { contextId: 'sdk', tenant: '', status: 0, pageToken: '', statusTimestampAfter: undefined };
		const { tasks } = await client.listTasks(query);
		const listed = tasks.filter(({ id }: { id: string }) => ids.includes(id)).length;
		if (listed >= ids.length) return listed;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}
const name = (error: unknown) => (error as Error).name;
const told = {
	task: { artifacts: task.artifacts, status: task.status },
	isSame: (await client.getTask({ id: task.id, tenant: '' })).id === task.id,
	streamed,
	listed: await untilListed([task.id, streamedId]),
	cancelEnded: await client.cancelTask({ id: task.id, tenant: '', metadata: undefined }).catch(name),
	unknown: await client.getTask({ id: 'f'.repeat(64), tenant: '' }).catch(name),
	refused: await client.sendMessage(message({ seconds: 'long' })).catch(name),
};
console.log(JSON.stringify(told));
