/** The topics of the API key's tenant, as they are listed. */
export interface ListedTopic {
	/** For `client.topic(name)`. */
	readonly name: string;
}
