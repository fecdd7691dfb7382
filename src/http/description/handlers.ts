/** `GET /openapi.json` and `GET /asyncapi.json`. The descriptions are a part of their own, which few isolates load. */
import type { RequestContext } from '../request-context.ts';

export async function describeHttp(context: RequestContext): Promise<Response> {
	const { openApiResponse } = await import('./respond.ts');
	return openApiResponse(context);
}

export async function describeEvents(context: RequestContext): Promise<Response> {
	const { asyncApiResponse } = await import('./respond.ts');
	return asyncApiResponse(context);
}
