/** The tasks of a deployment, as it describes them. */
type JsonSchema = Readonly<Record<string, unknown>>;

export interface TaskDescription {
	readonly name: string;
	readonly description?: string;
	/** A task takes JSON, bytes, or both. */
	readonly input: {
		readonly schema?: JsonSchema;
		/** The media types of bytes. */
		readonly mediaTypes?: readonly string[];
		/** Maximum number of bytes. */
		readonly maxBytes?: number;
	};
	readonly parameters: JsonSchema;
	readonly lane: string;
	readonly maxAttempts: number;
	/** The deadline of one attempt. */
	readonly timeoutSeconds: number;
}
