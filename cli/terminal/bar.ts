/** A progress bar, and the same progress as a plain line. Pure. */
import { type Style, visible } from './style.ts';

const BAR_CELLS = 30;
/** Cells of the bar's line before the message. */
const HEAD_CELLS = BAR_CELLS + 20;

export interface Progress {
	/** What happened last: the type of an event, or a status. */
	readonly type: string;
	readonly percent: number;
	readonly message?: string | undefined;
}

/** One line, at most as wide as the terminal, so that the next one can replace it. */
export function renderBar({ type, percent, message = '' }: Progress, style: Style, columns = 80): string {
	const filled = Math.round((Math.min(100, Math.max(0, percent)) / 100) * BAR_CELLS);
	const bar = style('cyan', '█'.repeat(filled)) + style('dim', '░'.repeat(BAR_CELLS - filled));
	const shown = visible(message).slice(0, Math.max(0, columns - HEAD_CELLS - 1));
	return `  ${bar} ${percentText(percent)}  ${type.padEnd(9)} ${style('dim', shown)}`;
}

export function renderProgress({ type, percent, message = '' }: Progress): string {
	return `${percentText(percent)}  ${type.padEnd(9)} ${visible(message)}`.trimEnd();
}

function percentText(percent: number): string {
	return `${String(Math.round(percent)).padStart(3)} %`;
}
