/** Runs a job to its end with openapi-fetch and the types of openapi-typescript. */
import createClient from 'openapi-fetch';
import type { components, paths } from '../out/openapi.d.ts';

const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' });

const { data, response } = await client.POST('/v1/tasks/sleep/jobs', {
	params: { header: { 'Coatcheck-Tags': ['generated'] } },
	body: { seconds: 0.2, steps: 2 },
});
// With `Prefer: wait`, the answer could be the result itself.
const { id } = data as components['schemas']['StatusDocument'];
let status = await client.GET('/v1/operations/{id}', { params: { path: { id } } });
while (status.data?.status === 'pending' || status.data?.status === 'running')
	status = await client.GET('/v1/operations/{id}', { params: { path: { id }, header: { Prefer: 'wait=5' } } });
const result = await client.GET('/v1/jobs/{id}/result', { params: { path: { id } } });
const refused = await client.POST('/v1/jobs/{id}/retry', { params: { path: { id } } });
// The codes of a status are a union, so that a wrong one does not compile.
const code: 'NotRetryable' | undefined = refused.error?.code === 'NotRetryable' ? refused.error.code : undefined;
console.log(JSON.stringify([response.status, status.data?.status, status.data?.tags, result.data, code]));
