/**
 * Determines the type of a cell's value, and of a column of cells. Pure: no I/O, no state.
 *
 * The names are those of Frictionless Table Schema. A cell is a number only if reading it as one loses nothing. So `007` and
 * whole numbers beyond ±(2^53 − 1) are strings: they are identifiers.
 */

/** The type of one non-empty cell. */
export type ValueType = 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'string';

/** The type of a column; `empty` for a column without values. */
export type ColumnType = ValueType | 'empty';

/**
 * Determines the type of `text`, a cell without blanks around it:
 *
 * - `integer`: digits with an optional sign, no leading zeros, within ±(2^53 − 1);
 * - `number`: also a decimal point or an exponent; finite; never a decimal comma or thousands separators;
 * - `boolean`: `true` or `false` in any case;
 * - `date`: `YYYY-MM-DD`, a day that exists;
 * - `datetime`: such a date, `T` or a space, `HH:MM`, optionally `:SS`, a fraction and `Z` or an offset;
 * - `string`: everything else.
 */
export function typeOfValue(text: string): ValueType {
	const first = text.charCodeAt(0);
	if (isDigitCode(first)) return isDate(text) ? typeOfDate(text) : typeOfNumber(text);
	if (first === PLUS || first === MINUS || first === POINT) return typeOfNumber(text);
	return booleanPattern.test(text) ? 'boolean' : 'string';
}

/** The type of a column of type `column` after a value of type `value`. The order of values doesn't matter. */
export function widen(column: ColumnType, value: ValueType): ColumnType {
	if (column === value || column === 'empty') return value;
	if (isNumeric(column) && isNumeric(value)) return 'number';
	if (isTemporal(column) && isTemporal(value)) return 'datetime';
	return 'string';
}

/** Whether values of this type have a mean. */
export function isNumeric(type: ColumnType): boolean {
	return type === 'integer' || type === 'number';
}

function isTemporal(type: ColumnType): boolean {
	return type === 'date' || type === 'datetime';
}

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
/** Any whole number with this many digits is exact as a double. */
const SAFE_DIGITS = 15;

const numberPattern = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const booleanPattern = /^(?:true|false)$/i;
const timePattern = /^[T ](?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?$/i;

function isDigitCode(code: number): boolean {
	return code >= ZERO && code <= NINE;
}

function typeOfNumber(text: string): ValueType {
	const first = text.charCodeAt(0);
	const start = first === PLUS || first === MINUS ? 1 : 0;
	const end = endOfDigits(text, start);
	const isWhole = end === text.length && end > start;
	const hasLeadingZero = end - start > 1 && text.charCodeAt(start) === ZERO;
	if (hasLeadingZero) return 'string';
	if (isWhole) return end - start <= SAFE_DIGITS || Number.isSafeInteger(Number(text)) ? 'integer' : 'string';
	return numberPattern.test(text) && Number.isFinite(Number(text)) ? 'number' : 'string';
}

function endOfDigits(text: string, start: number): number {
	let end = start;
	while (end < text.length && isDigitCode(text.charCodeAt(end))) end++;
	return end;
}

/** Whether `text` starts with `YYYY-MM-DD`, a day that exists. */
function isDate(text: string): boolean {
	if (text.length < 10 || text.charCodeAt(4) !== MINUS || text.charCodeAt(7) !== MINUS) return false;
	if (endOfDigits(text, 0) !== 4 || endOfDigits(text, 5) !== 7 || endOfDigits(text, 8) < 10) return false;
	const month = Number(text.slice(5, 7));
	const day = Number(text.slice(8, 10));
	return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(Number(text.slice(0, 4)), month);
}

function daysInMonth(year: number, month: number): number {
	if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
	return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function typeOfDate(text: string): ValueType {
	if (text.length === 10) return 'date';
	return timePattern.test(text.slice(10)) ? 'datetime' : 'string';
}
