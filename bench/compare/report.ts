/** Formats a comparison: tables for the terminal and for a file, and ratios with their targets. */
import { cpus } from 'node:os';
import type { Row } from './arena.ts';
import { median } from './figures.ts';

const US = 'Coatcheck';

/** One of the project's targets. */
interface Target {
	readonly subject: string;
	/** The contender that has to reach it. Default: Coatcheck. */
	readonly of?: string;
	/** The contender to compare with. Left out for a figure that is a target by itself. */
	readonly to?: string;
	readonly least?: number;
	readonly most?: number;
}

const TARGETS: readonly Target[] = [
	{ subject: 'submits, 16 in flight', to: 'floor', least: 0.9 },
	{ subject: 'p50 from submit to told by WebSocket', to: 'floor', most: 1.05 },
	{ subject: 'p50 from submit to told by WebSocket', of: 'lane now', to: 'floor', most: 0.6 },
	{ subject: 'polls of an unfinished job', to: 'floor', least: 0.9 },
	{ subject: 'polls of a finished job', to: 'floor', least: 0.9 },
	{ subject: 'instant jobs from end to end', to: 'Workflows', least: 1.3 },
	{ subject: 'a batch of 1,000 ÷ one by one', least: 5 },
	{ subject: 'memory with 5,000 jobs stored', to: 'floor', most: 1 },
];

/** The ratio of a contender's figure to another's: the median of the rounds' ratios. @param name default: Coatcheck. */
export function ratioOf({ rounds }: Row, other: string, name = US): number | undefined {
	const theirs = rounds.get(other);
	const ours = rounds.get(name);
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
	const lines = TARGETS.flatMap((target) => {
		const { subject, of, to, least, most } = target;
		const value = valueFor(target, rows);
		if (value === undefined) return [];
		const isReached = value >= (least ?? 0) && value <= (most ?? Number.POSITIVE_INFINITY);
		const wanted = least === undefined ? `≤ ${most}` : `≥ ${least}`;
		const name = `${subject}${of === undefined ? '' : `, ${of}`}${to === undefined ? '' : ` ÷ ${to}`}`;
		return [[name, wanted, shownRatio(value), isReached ? 'reached' : 'missed']];
	});
	return [['target', 'wanted', 'measured', ''], ...lines];
}

/** Returns `undefined` for a target that this run did not measure. */
function valueFor({ subject, of = US, to }: Target, rows: readonly Row[]): number | undefined {
	const row = rows.find((candidate) => candidate.subject === subject);
	if (!row) return undefined;
	if (to !== undefined) return ratioOf(row, to, of);
	const rounds = row.rounds.get(of);
	return rounds && median(rounds);
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
