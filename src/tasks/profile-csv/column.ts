/** The profile of one column, collected value by value in bounded memory. Pure: no I/O, no clock. */
import { defined } from '../../core/defined.ts';
import { type DistinctBudget, DistinctCounter } from './distinct-counter.ts';
import type { CsvLimits } from './limits.ts';
import { NumberSummary } from './number-summary.ts';
import { TextSummary } from './text-summary.ts';
import { type ColumnType, isNumeric, typeOfValue, widen } from './value-type.ts';

/** The profile of one column. Part of the task's result, and so of its contract: only add optional fields. */
export type ColumnProfile = {
	/** The header's cell; `column3` (from 1) without one; `name_2` for the second `name`. */
	name: string;
	/** The narrowest type that holds every value; `empty` without any. See `typeOfValue`. */
	type: ColumnType;
	/** Rows with a value in this column. */
	count: number;
	/** Rows without a value: the cell is empty, has only spaces and tabs, or is missing. `count + nulls` = `rows`. */
	nulls: number;
	/** Different values, compared as text: `1` and `1.0` are two. */
	distinct: number;
	/** False: `distinct` is exact. True: `distinct` is a lower bound. */
	distinctIsLowerBound: boolean;
	/** The smallest value: a number for `integer` and `number`, the first in lexical order for texts and dates. */
	min?: number | string;
	/** The largest value, likewise. Texts of more than 200 characters are cut there and end in `…`. */
	max?: number | string;
	/** Only for `integer` and `number`: the arithmetic mean. */
	mean?: number;
	/** Only for `integer` and `number` with at least two values: the sample standard deviation (n − 1). */
	stddev?: number;
	/** Only for `string`: characters (UTF-16 code units) of the shortest value. */
	minLength?: number;
	/** Only for `string`: characters (UTF-16 code units) of the longest value. */
	maxLength?: number;
};

/** Collects one column's values. The type is known only at the end, so both orders are kept until then. */
export class Column {
	readonly name: string;
	readonly #distinct: DistinctCounter;
	readonly #texts: TextSummary;
	readonly #numbers = new NumberSummary();
	#type: ColumnType = 'empty';
	#count = 0;

	/** @param budget the bytes for distinct counts, shared with the other columns. */
	constructor(name: string, limits: CsvLimits, budget: DistinctBudget) {
		this.name = name;
		this.#distinct = new DistinctCounter(limits.maxDistinctPerColumn, budget);
		this.#texts = new TextSummary(limits.maxShownCharacters);
	}

	/** @param text a value that is not empty, without blanks around it. */
	add(text: string): void {
		this.#count++;
		// A repeated text changes neither the type nor the order.
		if (this.#distinct.add(text)) this.#addNew(text);
		if (isNumeric(this.#type)) this.#numbers.add(Number(text));
	}

	#addNew(text: string): void {
		this.#texts.add(text);
		if (this.#type !== 'string') this.#type = widen(this.#type, typeOfValue(text));
	}

	/** @param rows all rows of the file: those without a value are the nulls. */
	profile(rows: number): ColumnProfile {
		return {
			name: this.name,
			type: this.#type,
			count: this.#count,
			nulls: rows - this.#count,
			distinct: this.#distinct.count,
			distinctIsLowerBound: this.#distinct.isLowerBound,
			...this.#ofType(),
		};
	}

	#ofType(): Partial<ColumnProfile> {
		switch (this.#type) {
			case 'integer':
			case 'number':
				return numberFields(this.#numbers);
			case 'string':
				return { ...orderFields(this.#texts), minLength: this.#texts.minLength, maxLength: this.#texts.maxLength };
			case 'date':
			case 'datetime':
				return orderFields(this.#texts);
			case 'boolean':
			case 'empty':
				return {};
		}
	}
}

function numberFields(numbers: NumberSummary): Partial<ColumnProfile> {
	const { min, max, mean, stddev } = numbers;
	return defined({ min, max, mean, stddev });
}

function orderFields({ min, max }: TextSummary): Partial<ColumnProfile> {
	return defined({ min, max });
}
