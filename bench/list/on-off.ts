/**
 * Measures the price of the list: this deployment beside the same build with `LIST=off`, submissions and jobs from end to end, in
 * interleaved rounds.
 */
import { Arena } from '../compare/arena.ts';
import { type Contender, OURS } from '../compare/contender.ts';
import { tableOf } from '../compare/report.ts';
import { SECTIONS } from '../compare/sections.ts';
import { running } from '../compare/workers.ts';
import { configWith, localVariables } from '../configuration.ts';

/** Of the load of `npm run bench`. The difference to see is small. */
const LOAD = 2;

export const ON_OFF_TITLE = '## The price of the list';

/** @returns the section of the results page. */
export async function measureOnOff(rounds: number): Promise<{ readonly rows: string[][]; readonly note: string }> {
	const arena = new Arena([contender('Coatcheck', 'on'), contender('LIST=off', 'off')], { rounds, load: LOAD });
	for (const section of ['submit', 'flow']) {
		console.log(`Section ${section}, ${rounds} rounds …`);
		await SECTIONS[section]?.(arena);
	}
	const note = `\`npm run bench:list -- --only=on-off\`: this deployment beside the same build with \`LIST=off\`. Medians of ${rounds} interleaved rounds, and the median of the rounds' own ratios. Wanted: at least 0.95 for submits and jobs a second.`;
	return { rows: tableOf(arena.rows), note };
}

function contender(name: string, list: 'on' | 'off'): Contender {
	return {
		name,
		async start() {
			const config = await configWith('bench/workers/subject.ts');
			const secrets = { ...(await localVariables()), LIST: list };
			return running(name, { configPath: config.path, secrets }, OURS, config.remove);
		},
	};
}
