/** Prometheus' text format, version 0.0.4. Pure. */

export interface Sample {
	readonly labels: Readonly<Record<string, string>>;
	readonly value: number;
}

/** A gauge with its samples. */
export interface Metric {
	readonly name: string;
	/** Says what is measured, and the unit. */
	readonly help: string;
	readonly samples: readonly Sample[];
}

/** Prometheus 3 refuses a scrape without a valid type. Every version understands this one. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Maximum number of values of one label. Each is a time series that Prometheus keeps for weeks. */
export const MAX_LABEL_VALUES = 50;
/** The label's value for all others. No task and no code has it by accident only. */
export const OTHER_VALUES = 'other';

/** Metrics without samples are left out. */
export function prometheusText(metrics: readonly Metric[]): string {
	return metrics
		.filter(({ samples }) => samples.length > 0)
		.map(metricText)
		.join('');
}

function metricText({ name, help, samples }: Metric): string {
	const lines = samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${valueText(value)}\n`);
	return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function labelsText(labels: Sample['labels']): string {
	const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
	return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeHelp(text: string): string {
	return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
	return escapeHelp(text.toWellFormed()).replaceAll('"', '\\"');
}

function valueText(value: number): string {
	if (Number.isFinite(value)) return String(value);
	return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Something that is counted by the values of labels. */
export interface Count {
	readonly labels: Readonly<Record<string, string>>;
	readonly count: number;
}

/**
 * Adds up counts with equal labels. Of each label in `bounded`, the values with the highest counts are kept, and the others are
 * added up as {@link OTHER_VALUES}.
 */
export function boundedSamples(counts: readonly Count[], bounded: readonly string[]): Sample[] {
	const kept = new Map(bounded.map((label) => [label, mostFrequent(counts, label)]));
	const sums = new Map<string, { readonly labels: Sample['labels']; value: number }>();
	for (const { labels, count } of counts) {
		const shown = Object.fromEntries(
			Object.entries(labels).map(([label, value]) => [
				label,
				kept.get(label)?.has(value) === false ? OTHER_VALUES : value,
			]),
		);
		const key = JSON.stringify(shown);
		const sum = sums.get(key) ?? { labels: shown, value: 0 };
		sum.value += count;
		sums.set(key, sum);
	}
	return [...sums.values()];
}

function mostFrequent(counts: readonly Count[], label: string): ReadonlySet<string> {
	const totals = new Map<string, number>();
	for (const { labels, count } of counts) {
		const value = labels[label] ?? '';
		totals.set(value, (totals.get(value) ?? 0) + count);
	}
	const ranked = [...totals].sort(([, a], [, b]) => b - a);
	return new Set(ranked.slice(0, MAX_LABEL_VALUES).map(([value]) => value));
}
