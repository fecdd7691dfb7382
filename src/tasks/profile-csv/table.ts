/** Builds the profile of a table from rows. Pure: no I/O, no clock, no CSV. */
import { TaskError } from '../../work/task.ts';
import { Column, type ColumnProfile } from './column.ts';
import { DistinctBudget } from './distinct-counter.ts';
import type { CsvLimits } from './limits.ts';
import { ownCopy, shownText } from './text-summary.ts';

/** The profile of a table. */
export type TableProfile = {
	/** Rows of data, without the header and blank lines. */
	rows: number;
	/** In the order of the file. A row longer than the header adds columns at the end. */
	columns: ColumnProfile[];
	/** Rows with more or fewer cells than the header or, without one, than the first row. */
	raggedRows: number;
};

/** Builds the profile of a table row by row, in bounded memory. */
export class Table {
	readonly #limits: CsvLimits;
	readonly #budget: DistinctBudget;
	readonly #columns: Column[] = [];
	readonly #names = new Set<string>();
	#awaitsHeader: boolean;
	/** Number of cells of the header or, without one, of the first row; undefined before it. */
	#width: number | undefined;
	#rows = 0;
	#raggedRows = 0;

	/** @param hasHeader whether the first row names the columns. */
	constructor(hasHeader: boolean, limits: CsvLimits) {
		this.#awaitsHeader = hasHeader;
		this.#limits = limits;
		this.#budget = new DistinctBudget(limits.distinctBudgetBytes);
	}

	/** Rows of data so far. */
	get rows(): number {
		return this.#rows;
	}

	/** @throws {TaskError} `TooManyColumns`. */
	add(cells: readonly string[]): void {
		this.#width ??= cells.length;
		if (cells.length > this.#columns.length) this.#addColumns(cells);
		if (this.#awaitsHeader) this.#awaitsHeader = false;
		else this.#addRow(cells, this.#width);
	}

	/** @throws {TaskError} `EmptyCsv` when there was no row, not even a header. */
	profile(): TableProfile {
		if (this.#width === undefined) {
			throw new TaskError('EmptyCsv', 'The CSV has no rows, not even a header', { retryable: false, status: 422 });
		}
		return {
			rows: this.#rows,
			columns: this.#columns.map((column) => column.profile(this.#rows)),
			raggedRows: this.#raggedRows,
		};
	}

	#addRow(cells: readonly string[], width: number): void {
		this.#rows++;
		if (cells.length !== width) this.#raggedRows++;
		for (let index = 0; index < cells.length; index++) {
			const text = withoutBlanks(cells[index] ?? '');
			if (text !== '') this.#columns[index]?.add(text);
		}
	}

	#addColumns(cells: readonly string[]): void {
		const { maxColumns } = this.#limits;
		if (cells.length > maxColumns) {
			const message = `A row has ${cells.length} cells, expected at most ${maxColumns}`;
			throw new TaskError('TooManyColumns', message, { retryable: false, status: 422 });
		}
		for (let index = this.#columns.length; index < cells.length; index++) {
			const header = this.#awaitsHeader ? withoutBlanks(cells[index] ?? '') : '';
			const name = this.#unusedName(shownText(header, this.#limits.maxShownCharacters) || `column${index + 1}`);
			this.#columns.push(new Column(name, this.#limits, this.#budget));
		}
	}

	/** Returns `name`, or `name_2`, `name_3` … when an earlier column has that name. */
	#unusedName(name: string): string {
		let unused = name;
		for (let copy = 2; this.#names.has(unused); copy++) unused = `${name}_${copy}`;
		this.#names.add(unused);
		return unused;
	}
}

/** Removes the spaces and tabs around the text. Almost no cell has any, so it checks before it slices. */
function withoutBlanks(text: string): string {
	let start = 0;
	let end = text.length;
	while (start < end && isBlank(text.charCodeAt(start))) start++;
	while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
	return end - start === text.length ? text : ownCopy(text.slice(start, end));
}

function isBlank(code: number): boolean {
	return code === 0x20 || code === 0x09;
}
