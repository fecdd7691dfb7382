import { describe, expect, it } from 'vitest';
import { nextStep } from '../../../src/core/operation/next.ts';
import type { Operation, Step } from '../../../src/core/operation/step.ts';
import { type AnswerFacts, ASKED, answer, NOW, operation, resource, THING } from './answers.ts';

const KINDS: Operation['asksFor'][] = ['status', 'location', 'resource', 'result'];

function next(pending: Operation, status: number, facts: AnswerFacts = {}): Step {
	return nextStep(pending, answer(status, { url: ASKED, ...facts }), NOW);
}

describe('a status document', () => {
	const says = (status: unknown, more: object = {}, pending = operation('status')) =>
		next(pending, 200, { body: { status, ...more } });

	it.each([
		'Running',
		'InProgress',
		'ValidationFailed',
		'FailingOver',
		'PartiallySucceeded',
		'NotSucceeded',
		'succeeding',
		'',
		'constructor',
	])('that says "%s" means that the operation goes on', (word) => {
		expect(says(word)).toMatchObject({ type: 'ask', operation: operation('status'), told: { word } });
	});

	it.each(['Succeeded', 'succeeded', 'SUCCEEDED'])('that says "%s" is the result when there is no other', (word) => {
		expect(says(word)).toEqual({ type: 'result', told: { word } });
	});

	it('leads to the result: by its resourceLocation before anything else', () => {
		const pending = operation('status', { resultAt: THING });
		expect(says('Succeeded', {}, pending)).toMatchObject({
			type: 'fetch',
			operation: { asksFor: 'result', askAt: THING },
		});
		expect(says('Succeeded', { resourceLocation: '/results/9' }, pending)).toMatchObject({
			type: 'fetch',
			operation: { asksFor: 'result', askAt: 'https://host.example/results/9' },
		});
		expect(says('Succeeded', { resourceLocation: 'http://' }, pending)).toMatchObject({ type: 'nonsense' });
	});

	it('is not fetched twice when it is named as the place of the result', () => {
		expect(says('Succeeded', {}, operation('status', { resultAt: ASKED }))).toMatchObject({ type: 'result' });
	});

	it.each([
		['Failed', 'failed'],
		['FAILED', 'failed'],
		['Canceled', 'canceled'],
		['cancelled', 'canceled'],
	])('that says "%s" means that it has %s, and why', (word, type) => {
		const error = { code: 'QuotaExceeded', message: 'No more of these', details: [{ code: 'Cores' }] };
		expect(says(word, { error })).toEqual({ type, error, told: { word } });
		expect(says(word, { error: { code: 500, message: '' } })).toMatchObject({
			type,
			error: { code: '500', message: `The operation ${type === 'failed' ? 'failed' : 'was canceled'}`, details: [] },
		});
		expect(says(word, { error: 'odd' })).toMatchObject({
			type,
			error: { code: type === 'failed' ? 'OperationFailed' : 'OperationCanceled' },
		});
	});

	it('tells how far the operation is', () => {
		expect(says('Running', { percentComplete: 40 })).toMatchObject({ told: { word: 'Running', percentComplete: 40 } });
		expect(says('Running', { percentComplete: '40' })).toMatchObject({ told: { word: 'Running' } });
	});

	it.each([
		['operation-location', '/operations/8'],
		['azure-asyncoperation', 'https://host.example/operations/8'],
	])('may say in %s where the next one is', (name, link) => {
		const headers = { [name]: link, location: '/else', 'retry-after': '0' };
		expect(next(operation('status'), 200, { headers, body: { status: 'Running' } })).toMatchObject({
			type: 'ask',
			operation: operation('status', { askAt: 'https://host.example/operations/8' }),
			retryAfterMs: 0,
		});
	});

	it('may have no word yet with 202, and needs none with 204', () => {
		expect(next(operation('status'), 202)).toMatchObject({ type: 'ask' });
		expect(next(operation('status'), 202, { body: { status: 202 } })).toMatchObject({ type: 'nonsense' });
		expect(next(operation('status'), 204)).toMatchObject({ type: 'result' });
	});

	it.each([
		[undefined, 'none'],
		[{}, 'none'],
		['text', 'none'],
		[[{ status: 'Running' }], 'none'],
		[{ status: 404 }, '404'],
		[{ status: null }, 'none'],
	])('that is %j makes no sense', (body, got) => {
		expect(next(operation('status'), 200, { body })).toEqual({
			type: 'nonsense',
			reason: `Expected the status of an operation, got: ${got}`,
		});
	});

	it('without a word is the result when a redirect that nobody saw has led to it', () => {
		const facts = { body: { id: '1' }, isRedirected: true };
		expect(next(operation('status'), 200, facts)).toMatchObject({ type: 'result' });
		expect(next(operation('status'), 200, { ...facts, body: { status: 'Running' } })).toMatchObject({ type: 'ask' });
	});
});

describe('a Location', () => {
	it('that answers 202 is asked again, or the one that the answer names', () => {
		expect(next(operation('location'), 202, { headers: { 'retry-after': '2' } })).toMatchObject({
			type: 'ask',
			operation: operation('location'),
			retryAfterMs: 2_000,
		});
		const headers = { location: '8', 'operation-location': '/else' };
		expect(next(operation('location'), 202, { headers })).toMatchObject({
			operation: operation('location', { askAt: 'https://host.example/operations/8' }),
		});
		expect(next(operation('location'), 202, { headers: { location: 'http://' } })).toMatchObject({ type: 'nonsense' });
	});

	it.each([
		[200, undefined],
		[200, { status: 'Running' }],
		[200, { status: 'Failed' }],
		[201, resource('Creating')],
		[204, undefined],
	])('that answers %i %j is the result', (status, body) => {
		expect(next(operation('location'), status, { body })).toMatchObject({ type: 'result' });
	});

	it('that answers with a resource which says that it came to nothing is believed, but after a POST', () => {
		const body = resource('Failed', { error: { code: 'Locked', message: 'Somebody has it' } });
		const answered = (method: string) => next(operation('location', { method }), 200, { body });
		for (const method of ['PUT', 'PATCH', 'DELETE']) {
			expect(answered(method)).toMatchObject({ type: 'failed', error: { code: 'Locked', message: 'Somebody has it' } });
		}
		expect(answered('POST')).toMatchObject({ type: 'result' });
	});
});

describe('a resource', () => {
	const pending = operation('resource', { method: 'PUT', askAt: THING });

	it.each([
		['Creating', 'ask'],
		['Succeeded', 'result'],
		['failed', 'failed'],
		['Canceled', 'canceled'],
	])('in the state "%s": %s', (word, type) => {
		expect(next(pending, 200, { body: resource(word) })).toMatchObject({ type, told: { word } });
		expect(next(pending, 200, { body: { provisioningState: word } })).toMatchObject({ type });
	});

	it('without a state is there, unless the answer is 202', () => {
		expect(next(pending, 200, { body: { id: '1' } })).toMatchObject({ type: 'result' });
		expect(next(pending, 202)).toMatchObject({ type: 'ask', operation: pending });
	});

	it('is asked where it is, whatever links its answers have', () => {
		const headers = { location: '/else', 'operation-location': '/else' };
		expect(next(pending, 200, { headers, body: resource('Creating') })).toMatchObject({ operation: pending });
	});
});

describe('a result', () => {
	it('is whatever is there', () => {
		expect(next(operation('result'), 200, { body: { status: 'Failed' } })).toMatchObject({ type: 'result' });
		expect(next(operation('result'), 204)).toMatchObject({ type: 'result' });
	});

	it('is not there yet with 202', () => {
		expect(next(operation('result'), 202, { headers: { location: '/x' } })).toMatchObject({
			type: 'ask',
			operation: { asksFor: 'result', askAt: 'https://host.example/x' },
		});
	});
});

describe('whatever was asked for', () => {
	const headers = { location: '/results/9' };
	const RESULT = 'https://host.example/results/9';

	it.each(KINDS)('a refusal is about the question: %s', (asksFor) => {
		for (const status of [400, 404, 429, 500, 503]) {
			expect(next(operation(asksFor), status, { body: { status: 'Failed' } })).toEqual({
				type: 'refused',
				retryAfterMs: undefined,
			});
		}
	});

	it.each(KINDS)('301, 307 and 308 say that it is elsewhere: %s', (asksFor) => {
		for (const status of [301, 307, 308]) {
			expect(next(operation(asksFor), status, { headers })).toEqual({
				type: 'moved',
				url: RESULT,
				operation: operation(asksFor, { askAt: RESULT }),
			});
		}
	});

	it('302 and 303 lead to the result, and from there on', () => {
		for (const status of [302, 303]) {
			for (const asksFor of ['status', 'location', 'resource'] as const) {
				expect(next(operation(asksFor), status, { headers })).toMatchObject({
					type: 'fetch',
					operation: { asksFor: 'result', askAt: RESULT },
				});
			}
			expect(next(operation('result'), status, { headers })).toMatchObject({ type: 'moved', url: RESULT });
		}
	});

	it('a redirect to nowhere, and any other 3xx, makes no sense', () => {
		expect(next(operation('status'), 303)).toMatchObject({ type: 'nonsense' });
		expect(next(operation('status'), 304)).toMatchObject({ type: 'nonsense' });
	});

	it.each(KINDS)('an operation is plain data that can be written down: %s', (asksFor) => {
		const pending = operation(asksFor);
		const kept = JSON.parse(JSON.stringify(pending)) as Operation;
		expect(next(kept, 202, { body: { status: 'Running' } })).toEqual(
			next(pending, 202, { body: { status: 'Running' } }),
		);
	});
});
