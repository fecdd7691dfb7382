/** Every command, in the order of the help. Each is loaded when it is called. */
import type { ArgsDef, CommandDef } from 'citty';

type Load = () => Promise<CommandDef>;

/** Arguments are checked by name, so their types don't matter here. */
function command<Args extends ArgsDef>(definition: CommandDef<Args>): CommandDef {
	return definition as unknown as CommandDef;
}

export const COMMANDS: Readonly<Record<string, Load>> = {
	init: async () => command((await import('./commands/init.ts')).init),
	dev: async () => command((await import('./commands/dev.ts')).dev),
	submit: async () => command((await import('./commands/submit.ts')).submit),
	watch: async () => command((await import('./commands/watch.ts')).watch),
	result: async () => command((await import('./commands/result.ts')).result),
	list: async () => command((await import('./commands/list.ts')).list),
	counts: async () => command((await import('./commands/counts.ts')).counts),
	cancel: async () => command((await import('./commands/cancel.ts')).cancel),
	retry: async () => command((await import('./commands/retry.ts')).retry),
	redrive: async () => command((await import('./commands/redrive.ts')).redrive),
	tail: async () => command((await import('./commands/tail.ts')).tail),
	tasks: async () => command((await import('./commands/tasks.ts')).tasks),
	doctor: async () => command((await import('./commands/doctor.ts')).doctor),
	build: async () => command((await import('./commands/build.ts')).build),
	key: async () => command((await import('./commands/key.ts')).key),
};
