/** The topic of a request. */
import { NotConfigured } from '../../config/not-configured.ts';
import { TOPIC_NAME, topicNameError } from '../../core/topic/names.ts';
import type { TopicSettings } from '../../core/topic/topic-api.ts';
import type { Topics } from '../../rpc/topics.ts';
import { tenantOf } from '../access/auth.ts';
import { shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';

export interface RequestedTopic {
	readonly topics: Topics;
	/** The id of the topic's object. */
	readonly id: string;
	readonly settings: TopicSettings;
}

/** @throws {Problem} `InvalidRequest` for an invalid name. */
export function requestedTopic(context: RequestContext): RequestedTopic {
	const { params, principal, config } = context;
	const { topic = '' } = params;
	if (!TOPIC_NAME.test(topic)) throw invalidName('topic', topic, topicNameError);
	const tenant = tenantOf(principal);
	const topics = requireTopics(context);
	return { topics, id: topics.idFor(tenant, topic), settings: { tenant, topic, retention: config.topicRetention } };
}

/** The problem for an invalid name in the path. */
export function invalidName(parameter: string, name: string, expected: string): Error {
	const message = `${expected}, got: ${shown(name)}`;
	return invalidRequest(`The name of the ${parameter} is not valid: ${message}`, [{ parameter, message }]);
}

function requireTopics({ topics }: RequestContext): Topics {
	if (topics) return topics;
	throw new NotConfigured(['TOPICS'], 'Expected a binding TOPICS of the class TopicObject');
}
