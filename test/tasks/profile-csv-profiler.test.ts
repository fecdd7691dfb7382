import { describe, expect, it, vi } from 'vitest';
import { type CsvProfile, CsvProfiler } from '../../src/tasks/profile-csv/csv-profiler.ts';
import type { Delimiter } from '../../src/tasks/profile-csv/delimiter.ts';
import { DISTINCT_VALUE_BYTES } from '../../src/tasks/profile-csv/distinct-counter.ts';
import { type CsvLimits, DEFAULT_LIMITS } from '../../src/tasks/profile-csv/limits.ts';
import type { ColumnType, ValueType } from '../../src/tasks/profile-csv/value-type.ts';

interface Options {
	delimiter?: Delimiter;
	hasHeader?: boolean;
	limits?: Partial<CsvLimits>;
	charset?: string;
	/** Sizes of the chunks, the last one repeated. Default: the whole file at once. */
	chunks?: number[];
}

async function profileOf(csv: string | Uint8Array, options: Options = {}): Promise<CsvProfile> {
	const bytes = typeof csv === 'string' ? new TextEncoder().encode(csv) : csv;
	const { delimiter, charset, hasHeader = true, limits, chunks = [bytes.length] } = options;
	const profiler = new CsvProfiler({ delimiter, charset, hasHeader, limits: { ...DEFAULT_LIMITS, ...limits } });
	for (let start = 0, index = 0; start < bytes.length; index++) {
		const size = chunks[Math.min(index, chunks.length - 1)] ?? 1;
		await profiler.write(bytes.slice(start, start + size));
		start += size;
	}
	return profiler.finish();
}

/** The part of a profile that a small table can show: names, types, values and nulls. */
async function outlineOf(csv: string | Uint8Array, options?: Options): Promise<string> {
	const { rows, raggedRows, columns } = await profileOf(csv, options);
	const cells = columns.map(({ name, type, count, nulls, distinct, min, max }) =>
		[name, type, `${count}+${nulls}`, distinct, ...(min === undefined ? [] : [`${min}…${max}`])].join(' '),
	);
	return [`${rows} rows, ${raggedRows} ragged`, ...cells].join(' | ');
}

describe('CsvProfiler reads', () => {
	const FILES: [string, string, string][] = [
		['a file', 'a,b\n1,x\n2,y\n', '2 rows, 0 ragged | a integer 2+0 2 1…2 | b string 2+0 2 x…y'],
		['a last row without a line end', 'a,b\n1,x', '1 rows, 0 ragged | a integer 1+0 1 1…1 | b string 1+0 1 x…x'],
		['CRLF', 'a,b\r\n1,x\r\n', '1 rows, 0 ragged | a integer 1+0 1 1…1 | b string 1+0 1 x…x'],
		['CR', 'a,b\r1,x\r', '1 rows, 0 ragged | a integer 1+0 1 1…1 | b string 1+0 1 x…x'],
		['line ends of all kinds', 'a\n1\r\n2\r3', '3 rows, 0 ragged | a integer 3+0 3 1…3'],
		['nothing but a header', 'a,b\n', '0 rows, 0 ragged | a empty 0+0 0 | b empty 0+0 0'],
		['one cell', 'a', '0 rows, 0 ragged | a empty 0+0 0'],
		['a delimiter in quotes', 'a,b\n"1,5",2\n', '1 rows, 0 ragged | a string 1+0 1 1,5…1,5 | b integer 1+0 1 2…2'],
		['doubled quotes', 'a\n"say ""hi"""\n', '1 rows, 0 ragged | a string 1+0 1 say "hi"…say "hi"'],
		[
			'a line end in quotes',
			'a,b\n"x\r\ny",2\n',
			'1 rows, 0 ragged | a string 1+0 1 x\r\ny…x\r\ny | b integer 1+0 1 2…2',
		],
		['quotes in the header', '"a,""b""",c\n1,2\n', '1 rows, 0 ragged | a,"b" integer 1+0 1 1…1 | c integer 1+0 1 2…2'],
		['a quoted number', 'a\n"5"\n', '1 rows, 0 ragged | a integer 1+0 1 5…5'],
		['a quoted nothing as null', 'a,b\n"",1\n', '1 rows, 0 ragged | a empty 0+1 0 | b integer 1+0 1 1…1'],
		['a quote within a cell', 'a\n5" pipe\n', '1 rows, 0 ragged | a string 1+0 1 5" pipe…5" pipe'],
		['text behind a closing quote', 'a\n"x"y\n', '1 rows, 0 ragged | a string 1+0 1 "x"y…"x"y'],
		['blanks around cells', 'a , b\n 1 ,\t2\n  ,3\n', '2 rows, 0 ragged | a integer 1+1 1 1…1 | b integer 2+0 2 2…3'],
		['blank lines', '\n\na\n\n1\n\r\n2\n\n', '2 rows, 0 ragged | a integer 2+0 2 1…2'],
		[
			'shorter rows',
			'a,b,c\n1\n1,2\n1,2,3\n',
			'3 rows, 2 ragged | a integer 3+0 1 1…1 | b integer 2+1 1 2…2 | c integer 1+2 1 3…3',
		],
		[
			'longer rows',
			'a\n1\n1,2\n1,2,3\n',
			'3 rows, 2 ragged | a integer 3+0 1 1…1 | column2 integer 2+1 1 2…2 | column3 integer 1+2 1 3…3',
		],
		[
			'duplicate names',
			'a,a,a_2,a\n1,2,3,4\n',
			'1 rows, 0 ragged | a integer 1+0 1 1…1 | a_2 integer 1+0 1 2…2 | a_2_2 integer 1+0 1 3…3 | a_3 integer 1+0 1 4…4',
		],
		[
			'empty names',
			'a,,\n1,2,3\n',
			'1 rows, 0 ragged | a integer 1+0 1 1…1 | column2 integer 1+0 1 2…2 | column3 integer 1+0 1 3…3',
		],
		[
			'an empty name that is taken',
			'column2,\n1,2\n',
			'1 rows, 0 ragged | column2 integer 1+0 1 1…1 | column2_2 integer 1+0 1 2…2',
		],
		[
			'names that objects have',
			'__proto__,constructor\n1,2\n',
			'1 rows, 0 ragged | __proto__ integer 1+0 1 1…1 | constructor integer 1+0 1 2…2',
		],
		['whole numbers in their order', 'a\n9\n10\n-3\n', '3 rows, 0 ragged | a integer 3+0 3 -3…10'],
		['numbers of both kinds', 'a\n9\n1e1\n-3.5\n', '3 rows, 0 ragged | a number 3+0 3 -3.5…10'],
		['the same number written twice as two', 'a\n1\n1.0\n', '2 rows, 0 ragged | a number 2+0 2 1…1'],
		['booleans', 'a\ntrue\nFALSE\ntrue\n', '3 rows, 0 ragged | a boolean 3+0 2'],
		['days', 'a\n2026-02-01\n2025-12-31\n', '2 rows, 0 ragged | a date 2+0 2 2025-12-31…2026-02-01'],
		[
			'days and times',
			'a\n2026-02-01\n2025-12-31T10:00Z\n',
			'2 rows, 0 ragged | a datetime 2+0 2 2025-12-31T10:00Z…2026-02-01',
		],
		['numbers that turn out to be texts', 'a\n9\n10\nx\n', '3 rows, 0 ragged | a string 3+0 3 10…x'],
		['texts that come before numbers', 'a\nx\n9\n10\n', '3 rows, 0 ragged | a string 3+0 3 10…x'],
		['NA as a text', 'a\n1\nNA\n', '2 rows, 0 ragged | a string 2+0 2 1…NA'],
		['nothing but nulls', 'a,b\n,\n,\n', '2 rows, 0 ragged | a empty 0+2 0 | b empty 0+2 0'],
		['other scripts', 'ä,名\n😀,ß\n', '1 rows, 0 ragged | ä string 1+0 1 😀…😀 | 名 string 1+0 1 ß…ß'],
		['a byte order mark', '\uFEFFa\n1\n', '1 rows, 0 ragged | a integer 1+0 1 1…1'],
	];

	it.each(FILES)('%s', async (_, csv, outline) => {
		expect(await outlineOf(csv)).toBe(outline);
	});

	it.each(FILES)('%s, byte by byte', async (_, csv, outline) => {
		expect(await outlineOf(csv, { delimiter: ',', limits: { delimiterSampleBytes: 3 }, chunks: [3, 1] })).toBe(outline);
	});

	it('a file without a header', async () => {
		expect(await outlineOf('1,x\n2\n', { hasHeader: false })).toBe(
			'2 rows, 1 ragged | column1 integer 2+0 2 1…2 | column2 string 1+1 1 x…x',
		);
	});

	it('the delimiter it was told, and finds out the one it wasn’t', async () => {
		expect((await profileOf('a;b\n1;2\n')).delimiter).toBe(';');
		const told = await profileOf('a;b\n1;2\n', { delimiter: '|' });
		expect(told.delimiter).toBe('|');
		expect(told.columns.map(({ name }) => name)).toEqual(['a;b']);
	});

	it('bytes that are no UTF-8 as replacement characters', async () => {
		const latin1 = new Uint8Array([0x61, 0x0a, 0x43, 0x61, 0x66, 0xe9, 0x0a]);
		expect(await outlineOf(latin1)).toBe('1 rows, 0 ragged | a string 1+0 1 Caf\uFFFD…Caf\uFFFD');
	});

	it('mean and spread of numbers only, lengths of texts only', async () => {
		const { columns, sizeBytes } = await profileOf('n,s\n1,abc\n2,\n4.5,é\n');
		expect(sizeBytes).toBe(20);
		expect(columns).toEqual([
			{
				name: 'n',
				type: 'number',
				count: 3,
				nulls: 0,
				distinct: 3,
				distinctIsLowerBound: false,
				min: 1,
				max: 4.5,
				mean: 2.5,
				stddev: expect.closeTo(Math.sqrt(3.25), 12),
			},
			{
				name: 's',
				type: 'string',
				count: 2,
				nulls: 1,
				distinct: 2,
				distinctIsLowerBound: false,
				min: 'abc',
				max: 'é',
				minLength: 1,
				maxLength: 3,
			},
		]);
	});

	it('ragged rows without making an error of each', async () => {
		const stackTraces = vi.spyOn(Error, 'captureStackTrace');
		expect(await outlineOf(`a,b\n${'1\n1,2\n'.repeat(10)}`)).toMatch('20 rows, 10 ragged');
		expect(stackTraces).not.toHaveBeenCalled();
		// The spy works: this error comes from the parser.
		await expect(profileOf('"')).rejects.toThrow();
		expect(stackTraces).toHaveBeenCalled();
		stackTraces.mockRestore();
	});

	it('names and values that are too long to show cut, and counts them whole', async () => {
		const [first, second] = (
			await profileOf('abcdef,abcdeg\nxxxxxx1,1\nxxxxxx2,2\n', { limits: { maxShownCharacters: 5 } })
		).columns;
		expect([first?.name, second?.name]).toEqual(['abcde…', 'abcde…_2']);
		expect(first).toMatchObject({ distinct: 2, min: 'xxxxx…', max: 'xxxxx…', maxLength: 7 });
	});
});

describe('CsvProfiler refuses', () => {
	const LINE_5 = 'a,b\n1,2\n\n3,4\n';
	/** Enough for the parser, which reads ahead, to have finished the row before it. */
	const TAIL = '6\n'.repeat(10);
	const REFUSED: [string, string | Uint8Array, string, string][] = [
		['an empty file', '', 'EmptyCsv', 'no rows'],
		['a file of blank lines', '\n\r\n\n', 'EmptyCsv', 'no rows'],
		['a file of a byte order mark', '\uFEFF', 'EmptyCsv', 'no rows'],
		['a quote that is never closed', `${LINE_5}"5,6\n7,8\n`, 'InvalidCsv', 'The row that starts on line 5 '],
		[
			'a quote that is never closed, late in its row',
			`${LINE_5}5,6,"7\n`,
			'InvalidCsv',
			'The row that starts on line 5 ',
		],
		['a quote in the header that is never closed', '"a,b\n1,2\n', 'InvalidCsv', 'The row that starts on line 1 '],
		[
			'a quote open after rows of several lines',
			'a\n"1\r\n\r\n2"\r\n\n"3\n4"\n"5\n',
			'InvalidCsv',
			'The row that starts on line 8 ',
		],
		['NUL bytes', 'a\n1\0', 'InvalidCsv', 'NUL bytes'],
		['a file that starts with NUL', '\0', 'InvalidCsv', 'NUL bytes'],
		['what comes before NUL bytes', `a,b,c,d,e\n${TAIL}\0`, 'TooManyColumns', '5 cells'],
		['NUL bytes before what comes after them', `a\n\0\n1,2,3,4,5\n${TAIL}`, 'InvalidCsv', 'NUL bytes'],
		['UTF-16 that nothing names', new Uint8Array([0x61, 0, 0x0a, 0]), 'InvalidCsv', 'charset=utf-16le'],
		['a cell that is too long', `${LINE_5}${'x'.repeat(40)}\n${TAIL}`, 'RowTooLarge', 'The row that starts on line 5 '],
		[
			'a cell that is too long and never ends',
			`${LINE_5}${'x'.repeat(500)}`,
			'RowTooLarge',
			'The row that starts on line 5 ',
		],
		[
			'a row of too many empty cells',
			`a\n${'"",'.repeat(14)}\n${TAIL}`,
			'RowTooLarge',
			'The row that starts on line 2 ',
		],
		['a header of too many columns', 'a,b,c,d,e\n', 'TooManyColumns', '5 cells'],
		['a row of too many columns', 'a\n1,2,3,4,5\n', 'TooManyColumns', '5 cells'],
	];
	const limits = { maxRowBytes: 40, maxColumns: 4, delimiterSampleBytes: 3 };

	for (const chunks of [[1000], [3, 1], [3, 7]]) {
		it.each(REFUSED)(`%s (in chunks of ${chunks})`, async (_, csv, code, message) => {
			await expect(profileOf(csv, { delimiter: ',', limits, chunks })).rejects.toMatchObject({
				name: 'TaskError',
				code,
				message: expect.stringContaining(message),
				status: 422,
				retryable: false,
			});
		});
	}

	it('nothing that just fits', async () => {
		const fitting = `${LINE_5.repeat(5)}1,2,3,4\n${'x'.repeat(39)}\n${'"",'.repeat(3)}\n`;
		expect((await profileOf(fitting, { delimiter: ',', limits })).columns).toHaveLength(4);
	});

	it('no blank lines, however many', async () => {
		const blanks = '\n'.repeat(500);
		expect(await outlineOf(`${blanks}a\n${blanks}1\n${blanks}`, { limits, chunks: [3, 50] })).toBe(
			'1 rows, 0 ragged | a integer 1+0 1 1…1',
		);
	});

	it('a row that never ends as soon as it is too long', async () => {
		const profiler = new CsvProfiler({ delimiter: ',', hasHeader: true, limits: { ...DEFAULT_LIMITS, ...limits } });
		for (let writtenBytes = 0; writtenBytes < 40; writtenBytes += 10)
			await profiler.write(new Uint8Array(10).fill(0x2c));
		await expect(profiler.write(new Uint8Array(10).fill(0x2c))).rejects.toMatchObject({ code: 'RowTooLarge' });
	});

	it('says the line to programs as well', async () => {
		await expect(profileOf('a\n"')).rejects.toMatchObject({ details: [{ line: 2 }] });
	});
});

describe('CsvProfiler reads text in', () => {
	const bytesOf = (...parts: (string | number[])[]) =>
		new Uint8Array(parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : part)));
	const utf16 = (text: string, isLittle: boolean) =>
		[...text].flatMap((char) => {
			const pair = [char.charCodeAt(0) & 0xff, char.charCodeAt(0) >> 8];
			return isLittle ? pair : pair.reverse();
		});
	const NAMES = 'name\nRené\nRenè\nRenê\n';
	const latin1 = bytesOf('name\nRen', [0xe9], '\nRen', [0xe8], '\nRen', [0xea], '\n');
	const OUTLINE = '3 rows, 0 ragged | name string 3+0 3 Renè…Renê';

	it.each([
		['ISO-8859-1', latin1, 'iso-8859-1'],
		['ISO-8859-1 by another name', latin1, 'Latin1'],
		['Windows-1252', latin1, 'windows-1252'],
		['ISO-8859-15', latin1, 'ISO-8859-15'],
		['UTF-16 by its byte order mark', bytesOf([0xff, 0xfe], utf16(NAMES, true)), undefined],
		['UTF-16, big end first', bytesOf([0xfe, 0xff], utf16(NAMES, false)), 'utf-16'],
		['UTF-16 by its name', bytesOf(utf16(NAMES, true)), 'utf-16le'],
		['UTF-8, whatever the charset says against its byte order mark', bytesOf([0xef, 0xbb, 0xbf], NAMES), 'iso-8859-1'],
		['UTF-8 by its name', bytesOf(NAMES), 'UTF-8'],
	])('%s, however it is cut', async (_, bytes, charset) => {
		for (const chunks of [[1_000], [3, 1], [4, 7]]) {
			const limits = { delimiterSampleBytes: 4 };
			const options = { chunks, limits, ...(charset !== undefined && { charset }) };
			expect(await outlineOf(bytes, options)).toBe(OUTLINE);
			expect((await profileOf(bytes, options)).sizeBytes).toBe(bytes.byteLength);
		}
	});

	it('Shift_JIS, and the first half of a character at the end is read as U+FFFD', async () => {
		const bytes = bytesOf('n\n', [0x93, 0xfa], '\n', [0x93]);
		expect(await outlineOf(bytes, { charset: 'shift_jis', chunks: [3, 1], limits: { delimiterSampleBytes: 3 } })).toBe(
			'2 rows, 0 ragged | n string 2+0 2 日…\ufffd',
		);
	});

	it('no encoding that is not known', async () => {
		await expect(profileOf('a\n1\n', { charset: 'klingon' })).rejects.toMatchObject({
			code: 'UnsupportedCharset',
			message: 'The CSV has the charset "klingon", which is not supported',
			status: 422,
			retryable: false,
		});
	});
});

describe('CsvProfiler counts distinct values', () => {
	function* rows(count: number): Generator<string> {
		for (let n = 0; n < count; n++) yield `${n},${n % 7}`;
	}
	const fileOf = (count: number) => `id,mod\n${[...rows(count)].join('\n')}\n`;
	const distinctOf = (profile: CsvProfile) =>
		profile.columns.map(({ distinct, distinctIsLowerBound }) => [distinct, distinctIsLowerBound]);

	it('exactly up to 100,000 in a column, then as a lower bound', async () => {
		expect(distinctOf(await profileOf(fileOf(100_000)))).toEqual([
			[100_000, false],
			[7, false],
		]);
		expect(distinctOf(await profileOf(fileOf(100_001)))).toEqual([
			[100_000, true],
			[7, false],
		]);
	});

	it('within one budget for all columns, and goes on with those that fit', async () => {
		const header = Array.from({ length: 20 }, (_, index) => `c${index}`).join(',');
		const body = Array.from({ length: 2000 }, (_, n) =>
			Array.from({ length: 20 }, (_, c) => `${n * 20 + c}`).join(','),
		);
		const csv = [`${header},few`, ...body.map((row, n) => `${row},${n % 3}`)].join('\n');
		const columnBytes = 2000 * (DISTINCT_VALUE_BYTES + '39999'.length);
		const enough = await profileOf(csv, { limits: { distinctBudgetBytes: 21 * columnBytes } });
		expect(enough.columns.every(({ distinctIsLowerBound }) => !distinctIsLowerBound)).toBe(true);
		const half = await profileOf(csv, { limits: { distinctBudgetBytes: 11 * columnBytes } });
		const exact = half.columns.filter(({ distinctIsLowerBound }) => !distinctIsLowerBound);
		const bounds = half.columns.filter(({ distinctIsLowerBound }) => distinctIsLowerBound);
		expect(exact.length).toBeGreaterThanOrEqual(10);
		expect(bounds.length).toBeGreaterThanOrEqual(9);
		expect(exact.every(({ name, distinct }) => distinct === (name === 'few' ? 3 : 2000))).toBe(true);
		expect(bounds.every(({ distinct }) => distinct > 100 && distinct < 2000)).toBe(true);
	});
});

/** A cell's intended value, and one of its spellings in a file. */
interface Cell {
	readonly value: string;
	readonly type: ValueType | undefined;
}

/** Mulberry32: the same numbers for the same seed. */
function seededRandom(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
	};
}

const LETTERS = [...'abcXYZ019,;|\t\n"é名😀 ', '\r\n', '""', '\r'];

/** Random tables with their CSV, and the known facts of each cell. */
function randomFile(seed: number, rowCount: number) {
	const random = seededRandom(seed);
	const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
	const two = (below: number, from = 0) => String(from + random(below)).padStart(2, '0');
	const makers: Record<ValueType, () => string> = {
		integer: () => `${pick(['', '-', '+'])}${1 + random(2000)}`,
		number: () => pick([`${random(100)}.${random(1000)}`, `-${1 + random(9)}e${random(5)}`, `.${random(99)}`]),
		boolean: () => pick(['true', 'false', 'True', 'FALSE']),
		date: () => `${1900 + random(200)}-${two(12, 1)}-${two(28, 1)}`,
		datetime: () =>
			`${1900 + random(200)}-${two(12, 1)}-${two(28, 1)}T${two(24)}:${two(60)}${pick(['', 'Z', ':01.5Z'])}`,
		// It starts and ends with letters that no other type has, so that nothing is trimmed or mistaken.
		string: () => `q${Array.from({ length: random(12) }, () => pick(LETTERS)).join('')}z`,
	};
	const kinds: (ValueType | undefined)[][] = Array.from({ length: 1 + random(6) }, () =>
		pick([
			['integer'],
			['integer', 'number', undefined],
			['number', undefined],
			['boolean', undefined],
			['date', 'datetime'],
			['date'],
			['datetime', undefined],
			['string'],
			['string', undefined],
			['integer', 'string'],
			['boolean', 'date'],
			[undefined],
		] satisfies (ValueType | undefined)[][]),
	);
	const cellOf = (types: readonly (ValueType | undefined)[]): Cell => {
		const type = pick(types);
		return { type, value: type === undefined ? '' : makers[type]() };
	};
	const delimiter = pick([',', ';', '\t', '|'] satisfies Delimiter[]);
	const lineEnd = pick(['\n', '\r\n', '\r']);
	const written = ({ value }: Cell): string => {
		const mustQuote = /[",;|\t\r\n]/.test(value);
		return mustQuote || random(4) === 0 ? `"${value.replaceAll('"', '""')}"` : value;
	};
	const table = Array.from({ length: rowCount }, () => {
		const row = kinds.map(cellOf);
		if (random(8) === 0) row.push(...Array.from({ length: random(3) }, () => cellOf(['integer'])));
		if (random(8) === 0) row.length = 1 + random(row.length);
		return row;
	});
	const header = kinds.map((_, index) => `h${index}`);
	const lines = table.map((row) => row.map(written).join(delimiter) || '""');
	const csv = [header.join(delimiter), ...lines].join(lineEnd) + (random(2) === 0 ? lineEnd : '');
	return { csv, delimiter, header, table };
}

/** A simple profile of a table in memory: sets, sorting, sums. It shares no code with the task. */
function naiveColumn(values: readonly Cell[], rowCount: number) {
	const texts = values.filter(({ type }) => type !== undefined).map(({ value }) => value);
	const types = [...new Set(values.flatMap(({ type }) => (type === undefined ? [] : [type])))].sort();
	const mixed: Record<string, ColumnType> = { '': 'empty', 'integer,number': 'number', 'date,datetime': 'datetime' };
	const type = types.length === 1 ? types[0] : (mixed[types.join()] ?? 'string');
	const common = {
		type,
		count: texts.length,
		nulls: rowCount - texts.length,
		distinct: new Set(texts).size,
		distinctIsLowerBound: false,
	};
	const lengths = texts.map((text) => text.length);
	const inOrder = texts.toSorted((a, b) => (a < b ? -1 : 1));
	const order = { min: inOrder[0], max: inOrder.at(-1) };
	if (type === 'string')
		return { ...common, ...order, minLength: Math.min(...lengths), maxLength: Math.max(...lengths) };
	if (type === 'date' || type === 'datetime') return { ...common, ...order };
	if (type !== 'integer' && type !== 'number') return common;
	const numbers = texts.map(Number);
	const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
	const squares = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0);
	const spread = { stddev: expect.closeTo(Math.sqrt(squares / (numbers.length - 1)), 6) };
	return {
		...common,
		min: Math.min(...numbers),
		max: Math.max(...numbers),
		mean: expect.closeTo(mean, 6),
		...(numbers.length > 1 && spread),
	};
}

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
/** Small enough that the parser gets each chunk on its own, instead of all with the head of the file. */
const NO_HEAD = { delimiterSampleBytes: 3 };

describe('CsvProfiler, on random files,', () => {
	it.each(SEEDS)('says what a naive computation says (seed %d)', async (seed) => {
		const { csv, delimiter, header, table } = randomFile(seed, 60);
		const profile = await profileOf(csv, { delimiter });
		const width = Math.max(header.length, ...table.map((row) => row.length));
		expect(profile).toEqual({
			rows: 60,
			raggedRows: table.filter((row) => row.length !== header.length).length,
			sizeBytes: new TextEncoder().encode(csv).length,
			delimiter,
			columns: Array.from({ length: width }, (_, index) => ({
				name: header[index] ?? `column${index + 1}`,
				...naiveColumn(
					table.flatMap((row) => row.slice(index, index + 1)),
					60,
				),
			})),
		});
	});

	it.each(SEEDS)('says the same whatever the chunks (seed %d)', async (seed) => {
		const { csv, delimiter } = randomFile(seed, 30);
		const random = seededRandom(seed);
		const whole = await profileOf(csv, { delimiter });
		const sizes = [[1], [2], [3], [7], [65_536], Array.from({ length: 2000 }, () => 1 + random(40))];
		for (const [first = 1, ...rest] of sizes) {
			const chunks = [first + 2, ...(rest.length > 0 ? rest : [first])];
			expect(await profileOf(csv, { delimiter, chunks, limits: NO_HEAD }), `chunks of ${first}`).toEqual(whole);
		}
	});

	it('says the same of a file larger than the head, whatever the chunks', async () => {
		const { csv } = randomFile(3, 4000);
		const whole = await profileOf(csv);
		expect(whole.sizeBytes).toBeGreaterThan(2 * DEFAULT_LIMITS.delimiterSampleBytes);
		expect(whole.rows).toBe(4000);
		for (const size of [1, 1000, 65_535, 65_536, 65_537]) {
			expect(await profileOf(csv, { chunks: [size] }), `chunks of ${size}`).toEqual(whole);
		}
	});
});
