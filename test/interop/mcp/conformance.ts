/** What the official conformance suite of the Model Context Protocol says of this service, scenario by scenario. */

export interface Expected {
	readonly scenario: string;
	/** The checks that fail, with the reason. Default: none. */
	readonly fails?: Readonly<Record<string, string>>;
}

const NO_INPUT = 'needs a tool that asks for input';
const NO_PROMPTS = 'needs prompts, which are not announced';
const NO_RESOURCES = 'needs resources, which are not announced';

export const CONFORMANCE: readonly Expected[] = [
	{ scenario: 'server-initialize' },
	{
		scenario: 'server-stateless',
		fails: {
			'sep-2575-http-server-no-independent-requests-on-stream': NO_INPUT,
			'sep-2575-missing-capability-http-400': NO_INPUT,
			'sep-2575-server-no-log-without-loglevel': 'needs a tool that logs',
			'sep-2575-server-rejects-undeclared-capability': NO_INPUT,
		},
	},
	{ scenario: 'tools-list' },
	{ scenario: 'tools-call-simple-text' },
	{ scenario: 'tools-call-error' },
	{ scenario: 'dns-rebinding-protection' },
	{ scenario: 'http-header-validation' },
	{
		scenario: 'caching',
		fails: {
			'sep-2549-prompts-list-caching-hints': NO_PROMPTS,
			'sep-2549-resources-list-caching-hints': NO_RESOURCES,
			'sep-2549-resources-templates-list-caching-hints': NO_RESOURCES,
		},
	},
	{ scenario: 'tasks-capability-negotiation' },
	{ scenario: 'tasks-lifecycle' },
	{ scenario: 'tasks-wire-fields' },
	{ scenario: 'tasks-request-headers' },
	{ scenario: 'tasks-request-state-removal' },
	{ scenario: 'tasks-required-task-error' },
	{
		scenario: 'tasks-dispatch-and-envelope',
		fails: { 'tasks-result-type-complete-on-non-task-responses': NO_INPUT },
	},
];

/** The rows of the table in `docs/agents.md`. */
export function conformanceRows(): string[] {
	return CONFORMANCE.map(({ scenario, fails = {} }) => {
		const reasons = Object.entries(fails).map(([check, reason]) => `\`${check}\` ${reason}`);
		return `| \`${scenario}\` | ${reasons.join('; ') || '–'} |`;
	});
}
