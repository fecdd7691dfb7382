import { CopyButton } from '../parts/copy.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { shortId } from '../pure/format.ts';
import type { Exchange } from '../pure/wire.ts';
import { needsKey } from '../state/session.ts';
import { useExchanges } from '../state/use-exchanges.ts';

/** The HTTP of a job, request by request, each with a command line. */
export function WirePage({ id }: { readonly id: string }) {
	const { list, error, repeat } = useExchanges(id);
	return (
		<>
			<div class="title">
				<h1>Wire view</h1>
				<a href={`/jobs/${id}`}>Job {shortId(id)}</a>
				<button type="button" onClick={repeat}>
					Ask again
				</button>
			</div>
			<p class="quiet">
				The exchange between a client and this service. Each part says whether it was made just now or is reconstructed
				from the job's record. Tokens are hidden.
				{needsKey.value && (
					<>
						{' '}
						The command lines take the key from <code>$COATCHECK_API_KEY</code>.
					</>
				)}
			</p>
			<ProblemNote error={error} />
			{!list && !error && <p class="loading">Asking…</p>}
			<ol class="wire">
				{list?.map((exchange) => (
					<ExchangeItem key={exchange.title} exchange={exchange} />
				))}
			</ol>
		</>
	);
}

function ExchangeItem({ exchange }: { readonly exchange: Exchange }) {
	const { title, evidence, note, request, response, curl } = exchange;
	return (
		<li>
			<h2>
				{title} <span class={`evidence ${evidence === 'made just now' ? 'made' : ''}`}>{evidence}</span>
			</h2>
			{note && <p class="quiet">{note}</p>}
			<Message text={request} what={`Request: ${title}`} />
			{response && <Message text={response} what={`Response: ${title}`} isResponse />}
			{curl && (
				<div class="code curl">
					<CopyButton text={curl} what={`the command line: ${title}`} />
					{/* biome-ignore-start lint/a11y: it scrolls, so a keyboard has to reach it, and its name needs a role. */}
					<pre tabIndex={0} aria-label={`Command line: ${title}`} role="group">
						{curl}
					</pre>
					{/* biome-ignore-end lint/a11y: the end of the text that scrolls. */}
				</div>
			)}
		</li>
	);
}

interface MessageProps {
	readonly text: string;
	readonly what: string;
	readonly isResponse?: boolean;
}

function Message({ text, what, isResponse = false }: MessageProps) {
	return (
		// biome-ignore lint/a11y: it scrolls, so a keyboard has to reach it, and its name needs a role.
		<pre class={isResponse ? 'message-text response' : 'message-text'} tabIndex={0} role="group" aria-label={what}>
			{text}
		</pre>
	);
}
