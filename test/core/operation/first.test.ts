import { describe, expect, it } from 'vitest';
import { firstStep } from '../../../src/core/operation/first.ts';
import type { FinalStateVia, Step } from '../../../src/core/operation/step.ts';
import { type AnswerFacts, answer, NOW, resource, THING } from './answers.ts';

const MONITOR = { 'operation-location': '/operations/7' };
const ASKED = 'https://host.example/operations/7';

function first(method: string, status: number, facts: AnswerFacts = {}, finalStateVia?: FinalStateVia): Step {
	return firstStep({ method, url: THING, finalStateVia }, answer(status, facts), NOW);
}

describe('a request has started an operation', () => {
	it.each([
		['Operation-Location', { 'operation-location': ASKED }],
		['Azure-AsyncOperation', { 'azure-asyncoperation': ASKED }],
		['both, of which the younger name counts', { 'operation-location': ASKED, 'azure-asyncoperation': '/else' }],
		['Location beside it, which is not asked', { 'operation-location': ASKED, location: '/else' }],
	])('when its answer has %s', (_, headers) => {
		for (const status of [200, 201, 202]) {
			expect(first('POST', status, { headers })).toMatchObject({
				type: 'ask',
				operation: { method: 'POST', asksFor: 'status', askAt: ASKED },
			});
		}
	});

	it('when its answer is 202 with a Location', () => {
		const step = first('DELETE', 202, { headers: { location: '/things/1/deletion' } });
		expect(step).toMatchObject({
			type: 'ask',
			operation: { method: 'DELETE', asksFor: 'location', askAt: `${THING}/deletion` },
		});
	});

	it.each([
		['PUT', 200, resource('Updating')],
		['PUT', 201, resource('Creating')],
		['PATCH', 200, { provisioningState: 'Whatever' }],
		['put', 202, undefined],
	])('when its answer is to %s, %i, and the resource says that it is not ready', (method, status, body) => {
		expect(first(method, status, { body })).toMatchObject({
			type: 'ask',
			operation: { method: method.toUpperCase(), asksFor: 'resource', askAt: THING },
		});
	});

	it('and is asked for no sooner than the service likes', () => {
		const retryAfter = (value: string) => first('POST', 202, { headers: { ...MONITOR, 'retry-after': value } });
		expect(retryAfter('7')).toMatchObject({ retryAfterMs: 7_000 });
		expect(retryAfter('Fri, 20 Nov 2026 12:01:00 GMT')).toMatchObject({ retryAfterMs: 60_000 });
		expect(retryAfter('/bar')).toMatchObject({ type: 'ask', retryAfterMs: undefined });
	});

	it('and is told of in the words of its first answer', () => {
		const body = { status: 'NotStarted', percentComplete: 0, properties: { provisioningState: 'Accepted' } };
		expect(first('POST', 202, { headers: MONITOR, body })).toMatchObject({
			told: { word: 'NotStarted', percentComplete: 0 },
		});
		expect(first('PUT', 201, { headers: MONITOR, body: resource('Accepted') })).toMatchObject({
			told: { word: 'Accepted' },
		});
	});

	it('and links are relative to where the answer came from', () => {
		const facts = { url: 'https://other.example/a/b', headers: { 'operation-location': '../c?token=x' } };
		expect(first('POST', 202, facts)).toMatchObject({ operation: { askAt: 'https://other.example/c?token=x' } });
	});
});

describe('a request was answered at once', () => {
	it.each([
		['POST', 200, {}],
		['GET', 200, { body: { status: 'Running' } }],
		['POST', 201, { headers: { location: '/things/2' } }],
		['POST', 200, { body: resource('Creating') }],
		['PUT', 200, { body: { id: '1' } }],
		['PUT', 201, {}],
		['PUT', 200, { body: resource('SUCCEEDED') }],
		['DELETE', 204, {}],
	])('with the result: %s, %i %j', (method, status, facts) => {
		expect(first(method, status, facts)).toMatchObject({ type: 'result' });
	});

	it('when the resource is finished, whatever links there are', () => {
		expect(first('PATCH', 200, { headers: MONITOR, body: resource('Succeeded') })).toMatchObject({ type: 'result' });
		expect(first('PATCH', 202, { headers: MONITOR, body: resource('Succeeded') })).toMatchObject({ type: 'ask' });
	});

	it.each([
		['Failed', 'failed', 'OperationFailed'],
		['Cancelled', 'canceled', 'OperationCanceled'],
	])('with a resource that came to nothing: %s', (word, type, code) => {
		expect(first('PUT', 200, { body: resource(word) })).toMatchObject({ type, error: { code } });
	});

	it('with a refusal, which has a pause in it', () => {
		const step = first('POST', 429, { headers: { ...MONITOR, 'retry-after': '3' } });
		expect(step).toEqual({ type: 'refused', retryAfterMs: 3_000 });
		expect(first('PUT', 500)).toEqual({ type: 'refused', retryAfterMs: undefined });
	});
});

describe('a request was led elsewhere', () => {
	const headers = { location: '/results/9' };
	const RESULT = 'https://host.example/results/9';

	it.each([
		['POST', 303],
		['PUT', 303],
		['POST', 301],
		['POST', 302],
	])('to its result: %s, %i', (method, status) => {
		expect(first(method, status, { headers })).toMatchObject({
			type: 'fetch',
			operation: { asksFor: 'result', askAt: RESULT },
		});
	});

	it.each([
		['POST', 307],
		['POST', 308],
		['PUT', 301],
		['GET', 302],
	])('to be sent there as it is: %s, %i', (method, status) => {
		expect(first(method, status, { headers })).toEqual({ type: 'moved', url: RESULT });
	});

	it('to nowhere', () => {
		expect(first('POST', 303)).toEqual({ type: 'nonsense', reason: 'Expected a Location with 303, got none' });
		expect(first('GET', 304)).toMatchObject({ type: 'nonsense' });
	});
});

describe('an answer makes no sense', () => {
	it('when it is 202 and nobody says where to ask', () => {
		expect(first('POST', 202)).toEqual({
			type: 'nonsense',
			reason: 'Expected an Operation-Location or a Location with 202, got neither',
		});
	});

	it.each([
		'http://',
		'javascript:alert(1)',
		'file:///etc/passwd',
		'https://user:password@host.example/',
	])('when its link is %s', (link) => {
		for (const name of ['operation-location', 'location']) {
			expect(first('POST', 202, { headers: { [name]: link } })).toEqual({
				type: 'nonsense',
				reason: `Expected an http(s) URL without credentials in ${name}, got another value`,
			});
		}
	});
});

describe('the result will be', () => {
	const headers = { ...MONITOR, location: '/results/9' };
	const RESULT = 'https://host.example/results/9';

	it.each([
		['PUT', undefined, THING],
		['PATCH', undefined, THING],
		['POST', undefined, RESULT],
		['DELETE', undefined, undefined],
		['POST', 'original-uri', THING],
		['POST', 'operation-location', undefined],
		['POST', 'azure-async-operation', undefined],
		['PATCH', 'location', RESULT],
		['DELETE', 'location', RESULT],
	] as const)('after %s, by %s, at %s', (method, finalStateVia, resultAt) => {
		const step = first(method, 202, { headers }, finalStateVia);
		expect(step.type === 'ask' && step.operation.resultAt).toBe(resultAt);
	});

	it('nowhere in particular when there is no Location that is a URL', () => {
		for (const location of [{}, { location: 'http://' }]) {
			const step = first('POST', 202, { headers: { ...MONITOR, ...location } });
			expect(step).toMatchObject({ type: 'ask' });
			expect(step.type === 'ask' && step.operation.resultAt).toBeUndefined();
		}
	});
});
