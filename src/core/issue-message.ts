import type * as z from 'zod';

/** What is wrong with a value. A key of a record has an issue of its own, which says more. */
export function issueMessage(issue: z.core.$ZodIssue): string {
	return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}
