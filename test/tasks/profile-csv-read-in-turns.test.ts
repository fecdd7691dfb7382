import { describe, expect, it } from 'vitest';
import { readInTurns } from '../../src/tasks/profile-csv/read-in-turns.ts';

const NEVER = new AbortController().signal;

/** Chunks that are available at once, and the state of the stream. */
function streamOf(...sizes: number[]) {
	const state = { pulled: 0, canceled: false };
	const stream = new ReadableStream<Uint8Array>(
		{
			pull(controller) {
				const size = sizes[state.pulled++];
				if (size === undefined) controller.close();
				else controller.enqueue(new Uint8Array(size).fill(state.pulled));
			},
			cancel() {
				state.canceled = true;
			},
		},
		{ highWaterMark: 0 },
	);
	return { stream, state };
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
	const all: Uint8Array[] = [];
	for await (const piece of pieces) all.push(piece);
	return all;
}

describe('readInTurns', () => {
	it('gives every byte in order, in pieces of a turn at most', async () => {
		const pieces = await collect(readInTurns(streamOf(3, 25, 0, 10, 1).stream, 10, NEVER));
		expect(pieces.map(({ length }) => length)).toEqual([3, 10, 10, 5, 10, 1]);
		expect(pieces.flatMap((piece) => [...piece])).toEqual(
			[3, 25, 0, 10, 1].flatMap((size, n) => Array(size).fill(n + 1)),
		);
	});

	it('gives nothing of an empty stream', async () => {
		expect(await collect(readInTurns(streamOf().stream, 10, NEVER))).toEqual([]);
	});

	it('lets timers run after every turn, though the chunks are all there', async () => {
		let turns = 0;
		const count = () => {
			turns++;
			timer = setTimeout(count, 0);
		};
		let timer = setTimeout(count, 0);
		const turnsAt: number[] = [];
		for await (const _ of readInTurns(streamOf(...Array(40).fill(5)).stream, 10, NEVER)) turnsAt.push(turns);
		clearTimeout(timer);
		expect(turnsAt[1]).toBe(0);
		expect(turns).toBeGreaterThanOrEqual(15);
	});

	it('reads nothing ahead of who asks', async () => {
		const { stream, state } = streamOf(5, 5, 5, 5);
		const pieces = readInTurns(stream, 10, NEVER);
		await pieces.next();
		expect(state.pulled).toBe(1);
		await pieces.next();
		expect(state.pulled).toBe(2);
	});

	it('cancels the stream when who reads it stops', async () => {
		const { stream, state } = streamOf(5, 5, 5, 5);
		for await (const _ of readInTurns(stream, 10, NEVER)) break;
		expect(state.canceled).toBe(true);
	});

	it('throws the reason of an abort while the stream has nothing to give', async () => {
		let canceled: unknown;
		const stream = new ReadableStream<Uint8Array>({
			cancel(reason) {
				canceled = reason;
			},
		});
		const controller = new AbortController();
		const reading = collect(readInTurns(stream, 10, controller.signal));
		const reason = new Error('the job was canceled');
		setTimeout(() => controller.abort(reason), 0);
		await expect(reading).rejects.toBe(reason);
		expect(canceled).toBe(reason);
	});

	it('throws the reason of an abort between pieces of one chunk', async () => {
		const controller = new AbortController();
		const seen: number[] = [];
		const reading = async () => {
			for await (const piece of readInTurns(streamOf(100).stream, 10, controller.signal)) {
				seen.push(piece.length);
				if (seen.length === 3) controller.abort(new Error('enough'));
			}
		};
		await expect(reading()).rejects.toThrow('enough');
		expect(seen).toHaveLength(3);
	});

	it('reads nothing once the signal has fired', async () => {
		const { stream, state } = streamOf(5);
		await expect(collect(readInTurns(stream, 10, AbortSignal.abort(new Error('too late'))))).rejects.toThrow(
			'too late',
		);
		expect(state).toEqual({ pulled: 0, canceled: true });
	});

	it('passes on what the stream throws', async () => {
		const stream = new ReadableStream<Uint8Array>({
			pull(controller) {
				controller.error(new Error('the disk is gone'));
			},
		});
		await expect(collect(readInTurns(stream, 10, NEVER))).rejects.toThrow('the disk is gone');
	});
});
