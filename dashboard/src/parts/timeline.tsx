import type { JobEvent } from '../../../src/client/index.ts';
import { formatDuration } from '../pure/format.ts';
import { hideSecrets } from '../pure/json-text.ts';
import { type Step, type StepSpan, spansOf, timelineOf } from '../pure/timeline.ts';
import { now } from '../state/live.ts';
import { Status } from './status.tsx';
import { Table } from './table.tsx';
import { Clock } from './time.tsx';

/** The waits and the attempts of a job, each with its share of the whole time. */
export function Timeline({ events }: { readonly events: readonly JobEvent[] }) {
	const steps = timelineOf(events);
	const spans = spansOf(steps, now.value);
	return (
		<section>
			<h2>Timeline</h2>
			<Table class="timeline" heads={['from', 'step', 'took', '']}>
				{steps.map((step, index) => (
					<StepRow key={step.from + step.title} step={step} span={spans[index]} />
				))}
			</Table>
		</section>
	);
}

function StepRow({ step, span }: { readonly step: Step; readonly span: StepSpan | undefined }) {
	const { kind, title, from, to, due, outcome, note } = step;
	const ms = (to === undefined ? Math.max(now.value, Date.parse(from)) : Date.parse(to)) - Date.parse(from);
	const style = span && { left: `${100 * span.start}%`, width: `${100 * span.length}%` };
	return (
		<tr>
			<td>
				<Clock at={from} />
			</td>
			<th scope="row">
				{title} {outcome && <Status of={outcome} />}
				{!to && <Status of={kind === 'wait' ? 'waiting' : 'running'} />}
				{due && (
					<p class="quiet message">
						no earlier than <Clock at={due} />
					</p>
				)}
				{note && <p class="quiet message">{hideSecrets(note)}</p>}
			</th>
			<td class="number">{formatDuration(ms)}</td>
			<td class="span">
				<span class={`stretch ${kind} ${outcome ?? ''}`} style={style} aria-hidden="true" />
			</td>
		</tr>
	);
}
