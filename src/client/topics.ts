/** Lists the topics of the API key's tenant. */
import { isObject } from '../core/http/json.ts';
import { ProtocolError } from './errors.ts';
import type { Http } from './http.ts';
import { followPages, type PageOptions } from './pages.ts';

export interface ListedTopic {
	/** For `client.topic(name)`. */
	readonly name: string;
}

interface TopicsPage {
	readonly topics: readonly ListedTopic[];
	readonly nextCursor?: string;
}

export async function* followTopics(http: Http, base: string, options: PageOptions): AsyncGenerator<ListedTopic, void> {
	const listing = { url: `${base}/v1/topics`, parse: parseTopicsPage };
	for await (const { topics } of followPages(http, listing, options)) yield* topics;
}

function parseTopicsPage(answer: unknown): TopicsPage {
	if (!isObject(answer) || !Array.isArray(answer.topics)) throw new ProtocolError('Expected a page of topics');
	return answer as unknown as TopicsPage;
}
