/** Tells a caller what its credentials allow, so that a page shows only actions that will work. */
import { defined } from '../../core/defined.ts';
import { callerKeyId, tenantOf } from '../access/auth.ts';
import { listedScopes } from '../access/scopes.ts';
import { PRIVATE } from '../job-response.ts';
import type { RequestContext } from '../request-context.ts';

/** `GET /v1/me`. */
export function describeCaller({ principal }: RequestContext): Response {
	const caller = { tenant: tenantOf(principal), scopes: listedScopes(principal.scopes), keyId: callerKeyId(principal) };
	return Response.json(defined(caller), { headers: PRIVATE });
}
