/** A process of its own that goes on where another one's poller stopped: its state comes in, the result goes out. */
import { text } from 'node:stream/consumers';
import { AzureClient, POLLERS, type PollerName } from './azure-client.ts';

const name = process.argv[2] as PollerName;
const poller = await POLLERS[name](new AzureClient().operation(), await text(process.stdin));
process.stdout.write(JSON.stringify(await poller.pollUntilDone()));
