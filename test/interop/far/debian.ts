/** The clients from Debian's packages. */
import type { FarClient } from './client.ts';
import type { Snippet } from './page.ts';

const pythonVersion = (expression: string, module: string) =>
	`/usr/bin/python3 -c 'import ${module}; print(${expression})'`;

function pythonProbe(module: string, option = ''): Snippet {
	const get = `${module}.get(os.environ['URL'], headers={'Authorization': 'Bearer ' + os.environ['KEY']}${option})`;
	return { file: 'probe.py', text: `import os, ${module}\n${get}\n` };
}

export const DEBIAN_CLIENTS: readonly FarClient[] = [
	{
		name: 'curl',
		packages: ['curl'],
		version: `/usr/bin/curl --version | sed -n '1s/curl \\([^ ]*\\).*/\\1/p'`,
		probe: { file: 'probe.sh', text: 'curl -s -H "Authorization: Bearer $KEY" "$URL"\n' },
		following: {
			option: '-L',
			probe: { file: 'probe.sh', text: 'curl -s -L -H "Authorization: Bearer $KEY" "$URL"\n' },
		},
	},
	{
		name: 'Python requests',
		packages: ['python3-requests'],
		version: pythonVersion('requests.__version__', 'requests'),
		probe: pythonProbe('requests'),
	},
	{
		name: 'Python httpx',
		packages: ['python3-httpx'],
		version: pythonVersion('httpx.__version__', 'httpx'),
		probe: pythonProbe('httpx'),
		following: { option: 'follow_redirects=True', probe: pythonProbe('httpx', ', follow_redirects=True') },
	},
];
