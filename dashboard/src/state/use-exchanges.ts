import { useEffect, useState } from 'preact/hooks';
import type { JobEvent, StatusDocument } from '../../../src/client/index.ts';
import { hasInput, isFinished } from '../pure/job-event.ts';
import {
	type Answer,
	answered,
	cancelOf,
	deliveriesOf,
	type Exchange,
	type Place,
	type Question,
	questionsAbout,
	streamOf,
	submissionOf,
} from '../pure/wire.ts';
import { readJson, send, sendChecked } from './api.ts';
import { readPayload } from './read-payload.ts';
import { needsKey } from './session.ts';

export interface Exchanges {
	readonly list: readonly Exchange[] | undefined;
	readonly error: Error | undefined;
	readonly repeat: () => void;
}

/** Makes the requests of a job's life that can be made again. */
export function useExchanges(id: string): Exchanges {
	const [state, setState] = useState<{ list?: readonly Exchange[]; error?: Error }>({});
	const [turn, setTurn] = useState(0);
	useEffect(() => {
		let isCurrent = true;
		collectExchanges(id).then(
			(list) => isCurrent && setState({ list }),
			(error: Error) => isCurrent && setState({ error }),
		);
		return () => {
			isCurrent = false;
		};
	}, [id, turn]);
	return { list: state.list, error: state.error, repeat: () => setTurn(turn + 1) };
}

async function collectExchanges(id: string): Promise<Exchange[]> {
	const place: Place = { origin: location.origin, needsKey: needsKey.value };
	const read = await sendChecked(`/v1/operations/${encodeURIComponent(id)}`);
	const job = (await read.json()) as StatusDocument;
	const { events } = await readJson<{ readonly events: readonly JobEvent[] }>(`/v1/jobs/${job.id}/events`);
	const input = hasInput(job) ? await readPayload(`/v1/jobs/${job.id}/input`).catch(() => undefined) : undefined;
	const accepted = events.find(({ type }) => type === 'accepted');
	const reads: Exchange[] = [];
	for (const question of questionsAbout(job, read.headers.get('etag') ?? undefined))
		reads.push(answered(question, await ask(question), place));
	return [
		submissionOf({ job, accepted, ...(input && { input }) }, place),
		...reads,
		...(isFinished(job) ? [] : [streamOf(job, place), cancelOf(job, place)]),
		...deliveriesOf(job, events, place),
	];
}

/** The beginning of a body is enough to see what it is. */
const MAX_BODY_BYTES = 8_192;

async function ask({ method, path, headers }: Question): Promise<Answer> {
	const response = await send(path, {
		method,
		headers: headers.map(([name, value]) => [name, value] as [string, string]),
	});
	const { status, redirected, url } = response;
	const { text, isCut } = await readBeginning(response);
	return {
		status,
		headers: [...response.headers],
		body: text,
		isCut,
		...(redirected && { redirectedTo: url }),
	};
}

async function readBeginning({ body }: Response): Promise<{ readonly text: string; readonly isCut: boolean }> {
	const reader = body?.getReader();
	const decoder = new TextDecoder();
	let text = '';
	let bytes = 0;
	while (reader) {
		const { done, value } = await reader.read();
		if (done) break;
		bytes += value.byteLength;
		text += decoder.decode(value, { stream: true });
		if (bytes < MAX_BODY_BYTES) continue;
		await reader.cancel();
		return { text: text.slice(0, MAX_BODY_BYTES), isCut: true };
	}
	return { text, isCut: false };
}
