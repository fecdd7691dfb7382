/**
 * Spans of our own in the platform's traces: the only file that calls its `tracing`. They never contain payloads, tokens, keys,
 * URLs or error messages. Without tracing, or in a request that is not sampled, the work runs as if this file were not there.
 */
import * as platform from 'cloudflare:workers';

/** Facts of a span. No trace context passes through a queue, so that the ids of the job connect its spans. */
export interface SpanFacts {
	/** The job's id. */
	readonly job?: string | undefined;
	readonly task?: string | undefined;
	readonly attempt?: number | undefined;
	readonly correlationId?: string | undefined;
	/** As the client sent it (W3C Trace Context). */
	readonly traceparent?: string | undefined;
	/** The number of a delivery's event. */
	readonly seq?: number | undefined;
	/** How an attempt ended, or what its report led to. */
	readonly outcome?: string | undefined;
	/** The status of a webhook's receiver. */
	readonly status?: number | undefined;
	/** Number of jobs in a batch. */
	readonly jobs?: number | undefined;
}

/** A contract with dashboards: names are only added. */
const ATTRIBUTES: Readonly<Record<keyof SpanFacts, string>> = {
	job: 'coatcheck.job.id',
	task: 'coatcheck.task',
	attempt: 'coatcheck.attempt',
	correlationId: 'coatcheck.correlation_id',
	traceparent: 'coatcheck.traceparent',
	seq: 'coatcheck.event.seq',
	outcome: 'coatcheck.outcome',
	status: 'http.response.status_code',
	jobs: 'coatcheck.batch.jobs',
};

export type SpanName = 'coatcheck.accept' | 'coatcheck.attempt' | 'coatcheck.report' | 'coatcheck.delivery';

/** Adds facts that are known only later. */
export type AddFacts = (facts: SpanFacts) => void;

/** The runtime of an earlier version may have no tracing, or no status of spans. */
type SomeSpan = Pick<Span, 'isTraced' | 'setAttribute'> & Partial<Pick<Span, 'setStatus'>>;

/** Runs work as a span, which ends with it. */
export function traceSpan<T>(name: SpanName, facts: SpanFacts, work: (addFacts: AddFacts) => Promise<T>): Promise<T> {
	const { tracing } = platform as { readonly tracing?: Tracing };
	if (typeof tracing?.enterSpan !== 'function') return work(ignoreFacts);
	return tracing.enterSpan(name, (span: SomeSpan) =>
		span.isTraced ? runTraced(span, facts, work) : work(ignoreFacts),
	);
}

async function runTraced<T>(span: SomeSpan, facts: SpanFacts, work: (addFacts: AddFacts) => Promise<T>): Promise<T> {
	const addFacts: AddFacts = (more) => setAttributes(span, more);
	addFacts(facts);
	try {
		return await work(addFacts);
	} catch (error) {
		// The name only: libraries put URLs and headers into messages.
		span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
		span.setStatus?.({ code: 'error' });
		throw error;
	}
}

function setAttributes(span: SomeSpan, facts: SpanFacts): void {
	for (const [fact, value] of Object.entries(facts)) {
		const name = ATTRIBUTES[fact as keyof SpanFacts];
		if (name !== undefined && value !== undefined) span.setAttribute(name, value);
	}
}

function ignoreFacts(): void {}
