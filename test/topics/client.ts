/** A client of topics. */
import { env } from 'cloudflare:workers';
import type { TopicEvent } from '../../src/core/topic/event.ts';
import type { TopicObject } from '../../src/object/topic-object.ts';
import { call } from '../flow/client.ts';

/** A name that no other test uses. */
export function newTopic(): string {
	return `topic-${crypto.randomUUID()}`;
}

export function publish(
	topic: string,
	data: unknown,
	{ type = 'made', ...headers }: Record<string, string> & { type?: string } = {},
): Promise<Response> {
	return call(`/v1/topics/${topic}/events`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'coatcheck-event-type': type, ...headers },
		body: JSON.stringify(data),
	});
}

export async function seqOf(published: Promise<Response>): Promise<number> {
	const response = await published;
	if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
	return (await response.json<{ seq: number }>()).seq;
}

export interface Page {
	readonly events: readonly TopicEvent[];
	readonly lastSeq: number;
	readonly hasMore?: true;
}

export async function pageOf(topic: string, query: Record<string, string | number> = {}): Promise<Page> {
	const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
	const response = await call(`/v1/topics/${topic}/events?${search}`);
	if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
	return response.json<Page>();
}

/** The object of a topic of the open deployment's tenant. */
export function topicObject(topic: string, tenant = 'default'): DurableObjectStub<TopicObject> {
	return env.TOPICS.get(env.TOPICS.idFromName(JSON.stringify([tenant, topic])));
}

export interface SocketReader {
	readonly events: TopicEvent[];
	readonly closed: Promise<CloseEvent>;
	readonly socket: WebSocket;
}

export async function listen(topic: string, query: Record<string, string | number> = {}): Promise<SocketReader> {
	const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
	const response = await call(`/v1/topics/${topic}/events?${search}`, { headers: { upgrade: 'websocket' } });
	const socket = response.webSocket;
	if (!socket) throw new Error(`No socket: ${response.status} ${await response.text()}`);
	const events: TopicEvent[] = [];
	const { promise: closed, resolve } = Promise.withResolvers<CloseEvent>();
	socket.addEventListener('message', ({ data }) => {
		if (data !== 'pong') events.push(JSON.parse(String(data)) as TopicEvent);
	});
	socket.addEventListener('close', resolve);
	socket.accept();
	return { events, closed, socket };
}
