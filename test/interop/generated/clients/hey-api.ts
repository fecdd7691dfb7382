/** Runs a job to its end with the client of @hey-api/openapi-ts. */
import { client } from '../out/hey-api/client.gen.ts';
import { getJobResult, getOperation, retryJob, submitSleep } from '../out/hey-api/sdk.gen.ts';
import type { StatusDocument } from '../out/hey-api/types.gen.ts';

client.setConfig({ baseUrl: process.argv[2] ?? '' });

const { data, response } = await submitSleep({
	body: { seconds: 0.2, steps: 2 },
	headers: { 'Coatcheck-Tags': ['generated'] },
});
const { id } = data as StatusDocument;
let status = await getOperation({ path: { id } });
while (status.data?.status === 'pending' || status.data?.status === 'running')
	status = await getOperation({ path: { id }, headers: { Prefer: 'wait=5' } });
const result = await getJobResult({ path: { id } });
const refused = await retryJob({ path: { id } });
const code = (refused.error as { code?: string } | undefined)?.code;
console.log(JSON.stringify([response?.status, status.data?.status, status.data?.tags, result.data, code]));
