/** Formats a comparison: tables for the terminal and for a file, and ratios with their targets. */
import { cpus } from 'node:os';
import type { Row } from './arena.ts';
import { median } from './figures.ts';

const US = 'Coatcheck';

/** The project's targets: a subject, the contender to compare with, and the ratio to reach. */
const TARGETS: readonly { subject: string; to: string; least?: number; most?: number }[] = [
	{ subject: 'submits, 16 in flight', to: 'floor', least: 0.9 },
	{ subject: 'p50 from submit to told by WebSocket', to: 'floor', most: 1.2 },
	{ subject: 'polls of an unfinished job', to: 'floor', least: 0.9 },
	{ subject: 'polls of a finished job', to: 'floor', least: 0.9 },
	{ subject: 'instant jobs from end to end', to: 'Workflows', least: 1.3 },
];

/** The ratio of our figure to theirs: the median of the rounds' ratios. */
export function ratioOf({ rounds }: Row, other: string): number | undefined {
	const theirs = rounds.get(other);
	const ours = rounds.get(US);
	if (!theirs || !ours) return undefined;
	return median(theirs.map((value, round) => (ours[round] ?? Number.NaN) / value));
}

export function othersIn(rows: readonly Row[]): string[] {
	return [...new Set(rows.flatMap(({ rounds }) => [...rounds.keys()]))].filter((name) => name !== US);
}

/** Every subject, with the medians of all contenders and our ratio to each. */
export function tableOf(rows: readonly Row[]): string[][] {
	const others = othersIn(rows);
	const head = ['', 'unit', US, ...others, ...others.map((name) => `÷ ${name}`)];
	const body = rows.map((row) => [
		row.subject,
		row.unit,
		...[US, ...others].map((name) => shown(median(row.rounds.get(name) ?? []))),
		...others.map((name) => shownRatio(ratioOf(row, name))),
	]);
	return [head, ...body];
}

export function targetTableOf(rows: readonly Row[]): string[][] {
	const lines = TARGETS.flatMap(({ subject, to, least, most }) => {
		const row = rows.find((candidate) => candidate.subject === subject);
		const ratio = row && ratioOf(row, to);
		if (ratio === undefined) return [];
		const isReached = ratio >= (least ?? 0) && ratio <= (most ?? Number.POSITIVE_INFINITY);
		const wanted = least === undefined ? `≤ ${most}` : `≥ ${least}`;
		return [[`${subject} ÷ ${to}`, wanted, shownRatio(ratio), isReached ? 'reached' : 'missed']];
	});
	return [['target', 'wanted', 'measured', ''], ...lines];
}

export function markdown(table: readonly (readonly string[])[]): string {
	const [head = [], ...body] = table;
	const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
	const rule = line(head.map((_, column) => (column === 0 ? '---' : '---:')));
	return [line(head), rule, ...body.map(line)].join('\n');
}

export function machine(): string {
	const [first] = cpus();
	return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, ${process.platform}, Node ${process.versions.node}`;
}

function shown(value: number): string {
	if (Number.isNaN(value)) return '–';
	return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function shownRatio(ratio: number | undefined): string {
	return ratio === undefined || Number.isNaN(ratio) ? '–' : ratio.toFixed(2);
}
