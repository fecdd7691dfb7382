/** A status or a phase: always its word, and a colour and a shape beside it. */
const TONES: Record<string, string> = {
	succeeded: 'good',
	closed: 'good',
	active: 'good',
	delivered: 'good',
	failed: 'bad',
	'timed-out': 'bad',
	expired: 'bad',
	'dead-lettered': 'bad',
	open: 'bad',
	'given-up': 'bad',
	disabled: 'bad',
	running: 'busy',
	canceling: 'busy',
	retrying: 'warn',
	waiting: 'warn',
	failing: 'warn',
	'half-open': 'warn',
};

export function Status({ of }: { readonly of: string }) {
	return <span class={`status ${TONES[of] ?? 'calm'}`}>{of}</span>;
}
