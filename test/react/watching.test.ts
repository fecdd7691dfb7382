/** What the hooks show, without React: a topic's latest events, and what follows an outage. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TopicWatch, type UseTopicOptions } from '../../src/react/topic-watch.ts';
import { broken, json, pass, problem, scripted } from '../client/script.ts';

/** A topic that is read by pages, and can be out of reach. */
class PlayedTopic {
	last = 0;
	/** Whether the reader's filter excludes all events. */
	isQuiet = false;
	/** The cursors that were asked for. */
	readonly asked: (string | null)[] = [];
	outage: (() => Promise<Response> | Response) | undefined;

	readonly answer = (address: string): Promise<Response> | Response => {
		if (this.outage) return this.outage();
		const after = new URL(address).searchParams.get('after');
		this.asked.push(after);
		const from = after === 'now' || this.isQuiet ? this.last : Number(after);
		const events = Array.from({ length: this.last - from }, (_, nth) => ({
			seq: from + nth + 1,
			type: 'made',
			at: '',
		}));
		return json({ events, lastSeq: this.last });
	};
}

function watched(options: UseTopicOptions, topic = new PlayedTopic()) {
	const { client } = scripted({ answers: { page: [topic.answer] }, options: { transports: ['polling'] } });
	const terms = { owner: client, name: 'topic', topic: () => client.topic('pictures'), options };
	const watch = new TopicWatch(terms);
	onTestFinished(watch.watch(() => {}));
	return { topic, watch, seqs: () => watch.state().events.map(({ seq }) => seq) };
}

/** Waits until the reader has given up. */
async function outage({ topic, watch }: ReturnType<typeof watched>, how = broken): Promise<void> {
	topic.outage = how;
	for (let waits = 0; watch.state().error === undefined && waits < 100; waits++) await pass(30_000);
	topic.outage = undefined;
}

describe('a topic that is watched', () => {
	it('from now on shows what came while the network was gone, even before its first event', async () => {
		const reader = watched({});
		reader.topic.last = 5;
		await pass(100);
		expect(reader.seqs()).toEqual([]);
		await outage(reader);
		expect(reader.watch.state().error).toMatchObject({ name: 'TransportError' });
		reader.topic.last = 7;
		reader.watch.refetch();
		await pass(1_000);
		expect(reader.seqs()).toEqual([6, 7]);
		expect(reader.watch.state().error).toBeUndefined();
	});

	it.each([0, 5])('whose filter excludes what comes after event %i continues from its place', async (shown) => {
		const reader = watched({ after: 0 });
		reader.topic.last = shown;
		await pass(1_000);
		Object.assign(reader.topic, { isQuiet: true, last: 9 });
		await pass(60_000);
		await outage(reader);
		reader.topic.asked.length = 0;
		reader.watch.refetch();
		await pass(1_000);
		expect(reader.topic.asked[0]).toBe('9');
		Object.assign(reader.topic, { isQuiet: false, last: 10 });
		await pass(60_000);
		expect(reader.seqs()).toEqual([...Array.from({ length: shown }, (_, nth) => nth + 1), 10]);
	});

	it('keeps as many events as were asked for, and none for a limit of 0', async () => {
		for (const [limit, kept] of [
			[3, [4, 5, 6]],
			[0, []],
		] as const) {
			const reader = watched({ after: 0, limit });
			reader.topic.last = 6;
			await pass(1_000);
			expect(reader.seqs()).toEqual(kept);
		}
	});
});

describe('a page that is visible again', () => {
	it.each([
		['a network that was gone', broken],
		['a server that was down', () => problem(503, 'Overloaded')],
	])('goes on after %s', async (_, how) => {
		const heard = new Map<string, () => void>();
		vi.stubGlobal('addEventListener', (type: string, listener: () => void) => heard.set(type, listener));
		vi.stubGlobal('removeEventListener', () => {});
		onTestFinished(() => void vi.unstubAllGlobals());
		const reader = watched({ after: 0 });
		await pass(100);
		await outage(reader, how as typeof broken);
		expect(reader.watch.state().error).toBeDefined();
		reader.topic.last = 1;
		heard.get('visibilitychange')?.();
		await pass(1_000);
		expect(reader.seqs()).toEqual([1]);
	});
});
