import type { StatusDocument } from '../../../src/client/index.ts';
import { postJson } from '../state/api.ts';
import { may } from '../state/session.ts';
import { useCommand } from '../state/use-command.ts';
import { ProblemNote } from './problem.tsx';
import { Status } from './status.tsx';
import { Table } from './table.tsx';
import { Age } from './time.tsx';

type Webhook = NonNullable<StatusDocument['webhook']>;

interface DeliveriesProps {
	readonly job: StatusDocument;
	readonly onSent: () => void;
}

/** The deliveries of a job's webhook. */
export function Deliveries({ job: { id, webhook }, onSent }: DeliveriesProps) {
	if (!webhook) return null;
	return (
		<section>
			<h2>Webhook</h2>
			<p>
				<code class="whole">{webhook.url}</code>
			</p>
			<Table heads={['event', 'delivery', 'answer', 'tries', 'last try', 'next try', '']}>
				{webhook.deliveries.map((delivery) => (
					<DeliveryRow key={delivery.seq} id={id} delivery={delivery} onSent={onSent} />
				))}
			</Table>
			{webhook.deliveries.length === 0 && <p class="quiet">No event was sent yet.</p>}
		</section>
	);
}

interface DeliveryRowProps {
	readonly id: string;
	readonly delivery: Webhook['deliveries'][number];
	readonly onSent: () => void;
}

function DeliveryRow({ id, delivery, onSent }: DeliveryRowProps) {
	const { seq, status, code, attempt, at, nextAttemptAt } = delivery;
	const again = useCommand(async () => {
		await postJson(`/v1/jobs/${id}/webhook/deliveries`, { seq });
		onSent();
	});
	return (
		<tr>
			<th scope="row">{seq}</th>
			<td>
				<Status of={status} />
			</td>
			<td class="number">{code ?? ''}</td>
			<td class="number">{attempt}</td>
			<td>{at && <Age at={at} />}</td>
			<td>{nextAttemptAt && <Age at={nextAttemptAt} />}</td>
			<td>
				{may('operate') && (
					<button type="button" onClick={again.run} disabled={again.isRunning} aria-label={`Send again: event ${seq}`}>
						Send again
					</button>
				)}
				<ProblemNote error={again.error} />
			</td>
		</tr>
	);
}
