/** The deployment can't serve requests: a variable is missing or invalid. `variables` contains the names. */
export class NotConfigured extends Error {
	override readonly name = 'NotConfigured';
	readonly variables: readonly string[];

	constructor(variables: readonly string[], message: string) {
		super(message);
		this.variables = variables;
	}
}
