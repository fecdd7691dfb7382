/** `docs/cli.md` says what the commands are, and nothing else. */
import { readFileSync } from 'node:fs';
import type { ArgsDef } from 'citty';
import { describe, expect, it } from 'vitest';
import { assertArguments } from '../../../cli/arguments.ts';
import { COMMANDS } from '../../../cli/commands.ts';
import { EXIT } from '../../../cli/exit.ts';

const PAGE = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
const SECTIONS = new Map(
	PAGE.split(/^### coatcheck /m)
		.slice(1)
		.map((text) => [text.slice(0, text.indexOf('\n')), text.split(/^## /m)[0] ?? '']),
);
/** Described once for every command. */
const EVERYWHERE = ['url', 'json', 'help'];
/** Options of the section `list`, to which others refer. */
const COMMAND_LINE = /^\$ (?:\w+=\$\()?(?:npx wrangler [^|]*\| )?npx coatcheck (.*?)\)?(?: \|.*)?$/gm;

async function definitionsOf(name: string): Promise<ArgsDef> {
	return ((await COMMANDS[name]?.())?.args ?? {}) as ArgsDef;
}

function optionsOf(definitions: ArgsDef): string[] {
	return Object.entries(definitions)
		.filter(([, { type }]) => type !== 'positional')
		.map(([name]) => name);
}

/** Splits a line as a shell does, as far as the page needs it. */
function words(line: string): string[] {
	return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
		([, single, double, bare]) => single ?? double ?? bare ?? '',
	);
}

describe('docs/cli.md', () => {
	it('has a section for each command, and no other', () => {
		expect([...SECTIONS.keys()].sort()).toEqual(Object.keys(COMMANDS).sort());
	});

	it.each(Object.keys(COMMANDS))('names every option of %s, and none that it has not', async (name) => {
		const section = SECTIONS.get(name) ?? '';
		const prose = section.replace(/^```[\s\S]*?^```$/gm, '');
		const named = new Set([...prose.matchAll(/`--([a-z-]+)/g)].map(([, option = '']) => option));
		const options = optionsOf(await definitionsOf(name));
		expect(options.filter((option) => !named.has(option) && !EVERYWHERE.includes(option))).toEqual([]);
		expect([...named].filter((option) => !options.includes(option))).toEqual([]);
	});

	it('has examples that the commands take, at least one for each', async () => {
		const lines = [...PAGE.matchAll(COMMAND_LINE)].map(([, line = '']) => words(line));
		expect(new Set(lines.map(([name]) => name))).toEqual(new Set(Object.keys(COMMANDS)));
		for (const [name = '', ...args] of lines) assertArguments(args, await definitionsOf(name));
	});

	it('has every exit code', () => {
		const codes = [...PAGE.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
		expect(codes).toEqual(Object.values(EXIT));
	});

	it('has a description for each command and option', async () => {
		for (const name of Object.keys(COMMANDS)) {
			const command = await COMMANDS[name]?.();
			expect(command?.meta).toMatchObject({ name, description: expect.stringMatching(/^[A-Z].*[^.]$/) });
			for (const definition of Object.values(await definitionsOf(name)))
				expect(definition.description).toMatch(/^[A-Z].*[^.]$/);
		}
	});
});
