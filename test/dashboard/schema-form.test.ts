import { describe, expect, it } from 'vitest';
import { FieldError, fieldsOf, inputText, valuesOf } from '../../dashboard/src/pure/schema-form.ts';
import { optionHeaders, parametersQuery, readValues } from '../../dashboard/src/pure/submission.ts';

const SCHEMA = {
	type: 'object',
	properties: {
		seconds: { type: 'number', description: 'How long' },
		steps: { type: 'integer', default: 10 },
		kind: { type: 'string', enum: ['a', 'b'] },
		wait: { type: 'boolean' },
		error: {
			type: 'object',
			properties: { code: { type: 'string' }, status: { type: 'integer' } },
			required: ['code'],
		},
		list: { type: 'array' },
		'with.dot': { type: 'object', properties: { a: { type: 'string' } } },
	},
	required: ['seconds'],
};
const FIELDS = fieldsOf(SCHEMA) ?? [];

describe('the fields of a schema', () => {
	it('have kinds, defaults and choices, and reach into objects', () => {
		expect(FIELDS.map(({ name, kind }) => [name, kind])).toEqual([
			['seconds', 'number'],
			['steps', 'integer'],
			['kind', 'choice'],
			['wait', 'boolean'],
			['error.code', 'text'],
			['error.status', 'integer'],
			['list', 'json'],
			['with.dot', 'json'],
		]);
		expect(FIELDS[1]).toMatchObject({ default: '10', isRequired: false });
	});

	it('require no member of an object that may be left out', () => {
		expect(FIELDS.filter(({ isRequired }) => isRequired).map(({ name }) => name)).toEqual(['seconds']);
	});

	it.each([undefined, {}, { type: 'array' }, { type: 'string' }, { anyOf: [] }])('are none for %j', (schema) => {
		expect(fieldsOf(schema)).toBeUndefined();
	});
});

describe('the input that a form makes', () => {
	it('has numbers as they were typed, and leaves out what is empty', () => {
		const values = { seconds: ' 9007199254740993 ', kind: '', 'error.code': 'a"b', list: '[1.10, 2]', wait: 'true' };
		expect(inputText(FIELDS, values)).toBe(
			'{"seconds":9007199254740993,"wait":true,"error":{"code":"a\\"b"},"list":[1.10, 2]}',
		);
	});

	it('has a member whose name has a dot under that name', () => {
		expect(inputText(FIELDS, { 'with.dot': '{"a":1}' })).toBe('{"with.dot":{"a":1}}');
	});

	it.each([
		['seconds', '1e', 'seconds: expected a number, got: 1e'],
		['steps', '0x10', 'steps: expected a number, got: 0x10'],
		['list', '[1', 'list: expected JSON'],
	])('refuses %s = %s', (name, text, message) => {
		expect(() => inputText(FIELDS, { [name]: text })).toThrow(new FieldError(name, message.slice(name.length + 2)));
	});

	it('fills the form again', () => {
		const text = '{"seconds":3,"error":{"code":"a\\"b","status":500},"list":[1,{"b":"c"}],"wait":false}';
		const values = valuesOf(FIELDS, text);
		expect(values).toMatchObject({ seconds: '3', 'error.code': 'a"b', list: '[1,{"b":"c"}]', wait: 'false' });
		expect(JSON.parse(inputText(FIELDS, values ?? {}))).toEqual(JSON.parse(text));
	});

	it.each([
		'{"other":1}',
		'[]',
		'1',
		'no JSON',
		'{"error":1}',
		'{"error":null}',
		'{"kind":5}',
	])('has no place for %s', (text) => {
		expect(valuesOf(FIELDS, text)).toBeUndefined();
	});
});

it('reads the fields of a group, and sends what is filled', () => {
	const data = new FormData();
	data.set('parameters:width', '320');
	data.set('parameters:fit', '');
	data.set('options:Coatcheck-Tags', ' a, b ');
	data.set('options:Idempotency-Key', ' ');
	expect(String(parametersQuery(readValues(data, 'parameters')))).toBe('width=320');
	expect(optionHeaders(readValues(data, 'options'))).toEqual({ 'Coatcheck-Tags': 'a, b' });
});
