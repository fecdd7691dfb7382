/** A client of the SDK 1.x, which knows the revision 2025-11-25, as a program of its own. Prints what it was told. */
import { Client } from './tools/node_modules/@modelcontextprotocol/sdk/dist/esm/client/index.js';
import { StreamableHTTPClientTransport } from './tools/node_modules/@modelcontextprotocol/sdk/dist/esm/client/streamableHttp.js';

const client = new Client({ name: 'old', version: '1' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2] ?? '')));
const { tools } = await client.listTools();
const { content } = await client.callTool({ name: 'slow_compute', arguments: { seconds: 2, label: 'here' } });
const text = (content as { text: string }[])[0]?.text;
console.log(JSON.stringify({ tools: tools.map(({ name }) => name), text }));
await client.close();
