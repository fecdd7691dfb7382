import { describe, expect, it } from 'vitest';
import { type ColumnType, typeOfValue, type ValueType, widen } from '../../src/tasks/profile-csv/value-type.ts';

const CELLS: Record<ValueType, string[]> = {
	integer: ['0', '7', '-7', '+7', '10', '999999999999999', '9007199254740991', '-9007199254740991'],
	number: [
		'0.5',
		'.5',
		'.05',
		'-.5',
		'-.05',
		'5.',
		'1e3',
		'1E-3',
		'+1.25e+10',
		'-0.0',
		'0.12345678901234567',
		'1e-999',
	],
	boolean: ['true', 'FALSE', 'True'],
	date: ['2026-11-20', '2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31'],
	datetime: [
		'2026-11-20T10:11',
		'2026-11-20 10:11:12',
		'2026-11-20T10:11:12Z',
		'2026-11-20T10:11:12.345678+01:00',
		'2026-11-20t23:59:60z',
		'2026-11-20T10:11:12-0800',
	],
	string: [
		'a',
		'007',
		'-01',
		'00.5',
		'9007199254740992',
		'12345678901234567890',
		'1,5',
		'1 000',
		'1e999',
		'.',
		'+',
		'-',
		'1e',
		'e5',
		'0x1F',
		'NaN',
		'Infinity',
		'truely',
		'yes',
		't',
		'2026-02-29',
		'1900-02-29',
		'2026-04-31',
		'2026-13-01',
		'2026-00-10',
		'2026-01-00',
		'2026-1-1',
		'2026/11/20',
		'2026-11-20T24:00',
		'2026-11-20T10:60',
		'2026-11-20T10',
		'2026-11-20Z',
		'2026-11-2x',
		'٣',
	],
};

describe('typeOfValue', () => {
	for (const [type, cells] of Object.entries(CELLS)) {
		it.each(cells)(`takes %j for ${type}`, (cell) => {
			expect(typeOfValue(cell)).toBe(type);
		});
	}

	it('takes eight digits for a whole number, not for a date', () => {
		expect(typeOfValue('20261120')).toBe('integer');
	});
});

describe('widen', () => {
	const TYPES: ValueType[] = ['integer', 'number', 'boolean', 'date', 'datetime', 'string'];

	it.each(TYPES)('gives an empty column the type of its first value, %s', (type) => {
		expect(widen('empty', type)).toBe(type);
	});

	it('keeps numbers with numbers and days with times, and mixes the rest to strings', () => {
		const expected = (a: ValueType, b: ValueType): ColumnType => {
			const pair = [a, b].sort().join();
			if (a === b) return a;
			return ({ 'integer,number': 'number', 'date,datetime': 'datetime' }[pair] as ColumnType | undefined) ?? 'string';
		};
		for (const a of TYPES)
			for (const b of TYPES) expect(`${a} ${b} ${widen(a, b)}`).toBe(`${a} ${b} ${expected(a, b)}`);
	});
});
