/** A job from submission to result, with any contender's API. */
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Running, Ticket, Work } from './contender.ts';
import { send, sendForJson } from './http.ts';

/** Interval between two polls of a job that has not ended. */
const LOOK_EVERY_MS = 5;
const PATIENCE_MS = 60_000;

const FAILED = ['failed', 'canceled', 'errored', 'terminated'];

/** @returns `undefined` for work that the contender doesn't support. */
export async function submit(contender: Running, work: Work): Promise<Ticket | undefined> {
	const call = contender.submission(contender.origin, work);
	if (!call) return undefined;
	const { status, bytes } = await send(call);
	if (status !== 202) throw new Error(`${contender.name}: expected 202, got ${status}: ${bytes}`);
	return contender.ticketOf(contender.origin, bytes);
}

/** For work that every contender supports. */
export async function submitted(contender: Running, work: Work): Promise<Ticket> {
	const ticket = await submit(contender, work);
	if (!ticket) throw new Error(`${contender.name} does not take this`);
	return ticket;
}

export async function poll({ poll: url }: Ticket): Promise<string> {
	return (await sendForJson<{ status: string }>({ method: 'GET', url }, 200)).status;
}

export async function untilDone(ticket: Ticket): Promise<void> {
	const deadline = performance.now() + PATIENCE_MS;
	for (;;) {
		const status = await poll(ticket);
		if (status === 'succeeded') return;
		if (FAILED.includes(status) || performance.now() > deadline) throw new Error(`A job is ${status}: ${ticket.poll}`);
		await wait(LOOK_EVERY_MS);
	}
}

/** Waits for one after the other, because most of the others have ended when the first has. */
export async function untilAllDone(tickets: readonly Ticket[]): Promise<void> {
	for (const ticket of tickets) await untilDone(ticket);
}

/** A reader that receives events. `told` is the time of the end, on the clock of `performance`. */
export function watch(contender: Running, url: string): { opened: Promise<void>; told: Promise<number> } {
	const socket = new WebSocket(url);
	const opened = new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
	const told = new Promise<number>((resolve, reject) => {
		socket.once('error', reject);
		socket.on('message', (data) => {
			if (!contender.isEnd(String(data))) return;
			resolve(performance.now());
			// The other end closes too, but may take some time.
			socket.terminate();
		});
	});
	return { opened, told };
}
