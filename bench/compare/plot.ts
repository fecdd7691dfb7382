/** Draws the ratios. Coatcheck is better to the right of the line, the other contender to the left. */
import type { Row } from './arena.ts';
import { othersIn, ratioOf } from './report.ts';

const COLOURS = ['#c2410c', '#1d4ed8', '#15803d', '#7e22ce', '#0f766e', '#a16207'];
const LINE_PX = 18;
const LABEL_PX = 360;
const PLOT_PX = 480;
const TOP_PX = 56;
const MARGIN_PX = 24;
const LEGEND_PX = 130;
/** From a tenth to ten times, on a logarithmic scale. */
const DECADES = 1;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10];

export function svgOf(rows: readonly Row[]): string {
	const others = othersIn(rows);
	const height = TOP_PX + rows.length * LINE_PX + MARGIN_PX;
	const width = LABEL_PX + PLOT_PX + MARGIN_PX;
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
		`<rect width="${width}" height="${height}" fill="#ffffff"/>`,
		...others.map((name, index) => legend(name, index)),
		...TICKS.map((tick) => grid(tick, height)),
		...rows.flatMap((row, index) => line(row, others, TOP_PX + (index + 0.5) * LINE_PX)),
		'</svg>',
		'',
	].join('\n');
}

function line(row: Row, others: readonly string[], y: number): string[] {
	const label = `<text x="${LABEL_PX - 10}" y="${y + 4}" text-anchor="end" fill="#333333">${escaped(row.subject)}</text>`;
	const marks = others.map((name, index) => {
		const ratio = ratioOf(row, name);
		if (ratio === undefined || Number.isNaN(ratio)) return '';
		const advantage = row.better === 'more' ? ratio : 1 / ratio;
		const title = `<title>${escaped(`${row.subject}: ${ratio.toFixed(2)} × ${name}`)}</title>`;
		return `<circle cx="${x(advantage)}" cy="${y}" r="4.5" fill="${colour(index)}" fill-opacity="0.8">${title}</circle>`;
	});
	return [label, ...marks];
}

function grid(tick: number, height: number): string {
	const at = x(tick);
	const stroke = tick === 1 ? '#333333' : '#dddddd';
	const label = `<text x="${at}" y="${TOP_PX - 8}" text-anchor="middle" fill="#666666">${tick} ×</text>`;
	return `<line x1="${at}" x2="${at}" y1="${TOP_PX}" y2="${height - MARGIN_PX}" stroke="${stroke}"/>${label}`;
}

function legend(name: string, index: number): string {
	const at = MARGIN_PX + index * LEGEND_PX;
	return `<circle cx="${at}" cy="20" r="4.5" fill="${colour(index)}"/><text x="${at + 9}" y="24">against ${escaped(name)}</text>`;
}

function x(advantage: number): number {
	const share = (Math.log10(Math.min(10, Math.max(0.1, advantage))) + DECADES) / (2 * DECADES);
	return Math.round(LABEL_PX + share * PLOT_PX);
}

function colour(index: number): string {
	return COLOURS[index % COLOURS.length] ?? '#000000';
}

function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
