import { defineCommand } from 'citty';
import { isGap } from '../../src/client/index.ts';
import { readWholeNumber } from '../arguments.ts';
import { CONNECTION, connect } from '../connection.ts';
import { EXIT } from '../exit.ts';
import { stopped } from '../interrupt.ts';
import { topicLine } from '../job/describe.ts';
import { note, print, printJsonLine } from '../terminal/output.ts';

export const tail = defineCommand({
	meta: { name: 'tail', description: 'Print the events of a topic as they are published, until Ctrl-C' },
	args: {
		topic: { type: 'positional', description: 'The name of the topic; jobs has the ends of all jobs', required: true },
		after: { type: 'string', description: 'Begin with the event after this number; 0 for all. Default: with the next' },
		types: { type: 'string', description: 'Only events of these types, separated by commas' },
		'correlation-id': { type: 'string', description: 'Only events with this correlation id' },
		count: { type: 'string', description: 'End after this number of events' },
		...CONNECTION,
	},
	async run({ args }) {
		const after = readWholeNumber('after', args.after) ?? 'now';
		const count = readWholeNumber('count', args.count, 1) ?? Number.POSITIVE_INFINITY;
		const types = args.types?.split(',').filter(Boolean);
		const correlationId = args['correlation-id'];
		const filter = { ...(types ? { types } : {}), ...(correlationId === undefined ? {} : { correlationId }) };
		const events = connect(args.url)
			.topic(args.topic)
			.events({ after, ...filter, signal: stopped });
		let seen = 0;
		for await (const event of events) {
			if (args.json) printJsonLine(event);
			else if (isGap(event)) note(`The events ${event.data.after + 1} to ${event.data.first - 1} are gone`);
			else print(topicLine(event));
			if (!isGap(event) && ++seen >= count) break;
		}
		return EXIT.success;
	},
});
