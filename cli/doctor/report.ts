/** Findings and costs in words. Pure. */
import { type Style, visible } from '../terminal/style.ts';
import type { Estimate } from './cost.ts';
import type { Finding, Severity } from './finding.ts';

const ORDER: readonly Severity[] = ['error', 'warning', 'note'];
const COLOURS = { error: 'red', warning: 'yellow', note: 'dim' } as const;

export function renderFindings(findings: readonly Finding[], style: Style): string[] {
	const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
	return sorted.flatMap(({ severity, message, fix }) => [
		`${style(COLOURS[severity], severity.padEnd(8))}${visible(message)}`,
		...(fix === undefined ? [] : [`        ${style('dim', `→ ${visible(fix)}`)}`]),
	]);
}

export function countFindings(findings: readonly Finding[]): Record<Severity, number> {
	const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
	return { error: count('error'), warning: count('warning'), note: count('note') };
}

/** `1 error, 2 warnings, 0 notes` */
export function summarize(findings: readonly Finding[]): string {
	const counts = Object.entries(countFindings(findings));
	return counts.map(([severity, count]) => `${count} ${severity}${count === 1 ? '' : 's'}`).join(', ');
}

export function costRows(estimates: readonly Estimate[], jobs: number): string[][] {
	return [
		['JOBS, EACH', `$ A MONTH FOR ${jobs.toLocaleString('en')}`],
		...estimates.map(({ way, dollars: { least, most } }) => [
			way,
			least.toFixed(2) === most.toFixed(2) ? most.toFixed(2) : `${least.toFixed(2)} to ${most.toFixed(2)}`,
		]),
	];
}
