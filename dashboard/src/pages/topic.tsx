import { ProblemNote } from '../parts/problem.tsx';
import { Subscriptions } from '../parts/subscriptions.tsx';
import { Table } from '../parts/table.tsx';
import { Clock } from '../parts/time.tsx';
import { jobsPath } from '../pure/filters.ts';
import { hideSecrets, prettyJson } from '../pure/json-text.ts';
import { dataText, type ShownEvent } from '../pure/topic.ts';
import { address } from '../state/router.ts';
import { may } from '../state/session.ts';
import { useTail } from '../state/use-tail.ts';

/** A topic as it is written to. */
export function TopicPage({ topic }: { readonly topic: string }) {
	const asked = address.value.query.get('after');
	const after = asked !== null && /^\d+$/.test(asked) ? Number(asked) : undefined;
	const { events, error, isRunning, start, stop } = useTail(topic, after);
	const place = `/topics/${encodeURIComponent(topic)}`;
	return (
		<>
			<div class="title">
				<h1>{topic}</h1>
				<button type="button" onClick={isRunning ? stop : start}>
					{isRunning ? 'Stop' : 'Continue'}
				</button>
				{after === undefined ? (
					<a href={`${place}?after=0`}>From the first event</a>
				) : (
					<a href={place}>Only new events</a>
				)}
			</div>
			<ProblemNote error={error} />
			{may('operate') && <Subscriptions topic={topic} />}
			<h2>Events</h2>
			{events.length === 0 ? (
				<p class="quiet" role="status">
					{isRunning ? 'Waiting for an event…' : 'Stopped.'}
				</p>
			) : (
				<Table class="events" heads={['number', 'type', 'at', 'correlation id', 'data']}>
					{events.map((event) => (
						<EventRow key={event.seq} event={event} />
					))}
				</Table>
			)}
		</>
	);
}

function EventRow({ event }: { readonly event: ShownEvent }) {
	const { seq, type, at, correlationId, dataBase64, mediaType } = event;
	const data = hideSecrets(dataText(event));
	return (
		<tr>
			<th scope="row" class="number">
				{seq}
			</th>
			<td>{type}</td>
			<td>
				<Clock at={at} />
			</td>
			<td class="cut">{correlationId && <a href={jobsPath({ correlationId })}>{correlationId}</a>}</td>
			<td>
				{dataBase64 === undefined ? (
					<details>
						<summary class="cut">{data.slice(0, 80)}</summary>
						<pre>{prettyJson(data)}</pre>
					</details>
				) : (
					<span class="quiet">bytes, {mediaType}</span>
				)}
			</td>
		</tr>
	);
}
