/** A separate process that resumes another process's poller: it reads the state and prints the result. */
import { text } from 'node:stream/consumers';
import { AzureClient, POLLERS, type PollerName } from './azure-client.ts';

const name = process.argv[2] as PollerName;
const poller = await POLLERS[name](new AzureClient().operation(), await text(process.stdin));
process.stdout.write(JSON.stringify(await poller.pollUntilDone()));
