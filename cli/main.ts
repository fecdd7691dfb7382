#!/usr/bin/env node
/** The command line. `commands.ts` lists the commands, and `docs/cli.md` shows each. */
import { run } from './run.ts';
import { flush } from './terminal/output.ts';

// A reader that has seen enough, such as `head`, closes the pipe.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));

const exitCode = await run(process.argv.slice(2));
await flush();
// Node keeps a socket open until the server closes it too, which may take seconds.
process.exit(exitCode);
