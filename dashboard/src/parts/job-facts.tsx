import type { ComponentChildren } from 'preact';
import type { StatusDocument } from '../../../src/client/index.ts';
import { jobsPath } from '../pure/filters.ts';
import { formatDuration } from '../pure/format.ts';
import { CopyButton } from './copy.tsx';
import { Age, Clock } from './time.tsx';

export function JobFacts({ job }: { readonly job: StatusDocument }) {
	const { id, correlationId, task, tags, attempt, maxAttempts, createdAt, startedAt, finishedAt, expiresAt } = job;
	return (
		<section>
			<h2>Job</h2>
			<dl class="facts">
				<Fact name="id">
					<code class="whole">{id}</code> <CopyButton text={id} what="id" />
				</Fact>
				<Fact name="task">
					<a href={jobsPath({ task })}>{task}</a>
				</Fact>
				<Fact name="correlation id">
					<a href={jobsPath({ correlationId })}>{correlationId}</a>
				</Fact>
				{tags.length > 0 && (
					<Fact name="tags">
						{tags.map((tag) => (
							<a key={tag} class="tag" href={jobsPath({ tag })}>
								{tag}
							</a>
						))}
					</Fact>
				)}
				<Fact name="attempts">
					{attempt} of {maxAttempts}
				</Fact>
				<Moment name="created" at={createdAt} />
				<Moment name="started" at={startedAt} />
				<Moment name="ended" at={finishedAt} />
				<Moment name="kept until" at={expiresAt} />
				{startedAt && finishedAt && (
					<Fact name="took">{formatDuration(Date.parse(finishedAt) - Date.parse(startedAt))}</Fact>
				)}
			</dl>
			<p>
				<a href={`/jobs/${id}/wire`}>Wire view: the HTTP of this job</a>
			</p>
		</section>
	);
}

interface FactProps {
	readonly name: string;
	readonly children: ComponentChildren;
}

function Fact({ name, children }: FactProps) {
	return (
		<>
			<dt>{name}</dt>
			<dd>{children}</dd>
		</>
	);
}

function Moment({ name, at }: { readonly name: string; readonly at: string | undefined }) {
	if (at === undefined) return null;
	return (
		<Fact name={name}>
			<Clock at={at} />{' '}
			<span class="quiet">
				<Age at={at} />
			</span>
		</Fact>
	);
}
