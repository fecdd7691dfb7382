/** The clients from Debian's packages. */
import type { FarClient } from './client.ts';
import type { Snippet } from './page.ts';

const pythonVersion = (expression: string, module: string) =>
	`/usr/bin/python3 -c 'import ${module}; print(${expression})'`;

function pythonProbe(module: string, option = ''): Snippet {
	const get = `${module}.get(os.environ['URL'], headers={'Authorization': 'Bearer ' + os.environ['KEY']}${option})`;
	return { file: 'probe.py', text: `import os, ${module}\n${get}\n` };
}

function libcurlProbe(option = ''): Snippet {
	const text = `
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
	char key[100];
	snprintf(key, sizeof key, "Authorization: Bearer %s", getenv("KEY"));
	CURL *curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_URL, getenv("URL"));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, curl_slist_append(NULL, key));
	${option}
	return curl_easy_perform(curl);
}
`;
	return { file: 'probe.c', text };
}

function azureProbe(policy: string): Snippet {
	const text = `
import os
from azure.core import PipelineClient
from azure.core.pipeline.policies import HeadersPolicy, RedirectPolicy
from azure.core.pipeline.transport import HttpRequest
headers = HeadersPolicy({'Authorization': 'Bearer ' + os.environ['KEY']})
client = PipelineClient('', policies=[headers, ${policy}])
client._pipeline.run(HttpRequest('GET', os.environ['URL']))
`;
	return { file: 'probe.py', text };
}

function javaProbe(client: string): Snippet {
	const text = `
import java.net.URI;
import java.net.http.*;
class Probe {
    public static void main(String[] arguments) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(System.getenv("URL")));
        request.header("Authorization", "Bearer " + System.getenv("KEY"));
        ${client}.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
`;
	return { file: 'probe.java', text };
}

function phpCurlProbe(option = ''): Snippet {
	const options = `[CURLOPT_HTTPHEADER => ['Authorization: Bearer ' . getenv('KEY')], ${option}]`;
	return {
		file: 'probe.php',
		text: `<?php $c = curl_init(getenv('URL')); curl_setopt_array($c, ${options}); curl_exec($c);`,
	};
}

function mojoProbe(option: string): Snippet {
	const text = `
use Mojo::UserAgent;
Mojo::UserAgent->new(${option})->get($ENV{URL} => {Authorization => "Bearer $ENV{KEY}"});
`;
	return { file: 'probe.pl', text };
}

const RUBY_VERSION = `/usr/bin/ruby -e 'print RUBY_VERSION'`;
const PHP_VERSION = `/usr/bin/php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, ".", PHP_RELEASE_VERSION;'`;

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
		name: 'Python urllib',
		packages: ['python3'],
		version: pythonVersion('platform.python_version()', 'platform'),
		probe: {
			file: 'probe.py',
			text: `
import os
from urllib.request import Request, urlopen
urlopen(Request(os.environ['URL'], headers={'Authorization': 'Bearer ' + os.environ['KEY']}))
`,
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
	{
		name: 'Python aiohttp',
		packages: ['python3-aiohttp'],
		version: pythonVersion('aiohttp.__version__', 'aiohttp'),
		probe: {
			file: 'probe.py',
			text: `
import aiohttp, asyncio, os
async def main():
    async with aiohttp.request('GET', os.environ['URL'], headers={'Authorization': 'Bearer ' + os.environ['KEY']}):
        pass
asyncio.run(main())
`,
		},
	},
	{
		name: 'Python websockets',
		packages: ['python3-websockets'],
		version: pythonVersion('websockets.version.version', 'websockets'),
	},
	{
		name: 'Python azure-core',
		packages: ['python3-azure'],
		version: pythonVersion('azure.core.__version__', 'azure.core'),
		needs: [{ purpose: 'result', flag: 'RequestIdPolicy(), ' }],
		probe: azureProbe(''),
		following: { option: 'RedirectPolicy()', probe: azureProbe('RedirectPolicy()') },
	},
	{
		name: 'Go',
		packages: ['golang-go', 'golang-github-gorilla-websocket-dev'],
		version: `/usr/bin/go version | grep -oP 'go\\K[\\d.]+'`,
		variables: { GO111MODULE: 'off', GOPATH: '/usr/share/gocode' },
		probe: {
			file: 'probe.go',
			text: `
package main
import ("net/http"; "os")
func main() {
	request, _ := http.NewRequest("GET", os.Getenv("URL"), nil)
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
	http.DefaultClient.Do(request)
}
`,
		},
	},
	{
		name: 'Java',
		packages: ['default-jdk-headless'],
		version: `/usr/bin/java --version | grep -oP '^openjdk \\K[\\d.]+'`,
		probe: javaProbe('HttpClient.newHttpClient()'),
		following: {
			option: 'followRedirects(HttpClient.Redirect.NORMAL)',
			probe: javaProbe('HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build()'),
		},
	},
	{
		name: 'Ruby net/http',
		packages: ['ruby'],
		version: RUBY_VERSION,
		needs: [{ purpose: 'events', flag: ', max_retries: 0' }],
		probe: {
			file: 'probe.rb',
			text: `require 'net/http'\nNet::HTTP.get(URI(ENV['URL']), 'Authorization' => "Bearer #{ENV['KEY']}")\n`,
		},
	},
	{
		name: 'Ruby open-uri',
		packages: ['ruby'],
		version: RUBY_VERSION,
		probe: {
			file: 'probe.rb',
			text: `require 'open-uri'\nURI(ENV['URL']).open('Authorization' => "Bearer #{ENV['KEY']}")\n`,
		},
	},
	{
		name: 'PHP curl',
		packages: ['php-cli', 'php-curl'],
		version: PHP_VERSION,
		probe: phpCurlProbe(),
		following: { option: 'CURLOPT_FOLLOWLOCATION => true', probe: phpCurlProbe('CURLOPT_FOLLOWLOCATION => true') },
	},
	{
		name: 'PHP streams',
		packages: ['php-cli'],
		version: PHP_VERSION,
		probe: {
			file: 'probe.php',
			text: `<?php
$key = 'Authorization: Bearer ' . getenv('KEY');
file_get_contents(getenv('URL'), false, stream_context_create(['http' => ['header' => $key]]));
`,
		},
	},
	{
		name: 'Perl LWP',
		packages: ['libwww-perl'],
		version: `/usr/bin/perl -MLWP -e 'print $LWP::VERSION'`,
		probe: {
			file: 'probe.pl',
			text: `use LWP::UserAgent;\nLWP::UserAgent->new->get($ENV{URL}, Authorization => "Bearer $ENV{KEY}");\n`,
		},
	},
	{
		name: 'Perl Mojolicious',
		packages: ['libmojolicious-perl', 'libio-socket-ssl-perl'],
		version: `/usr/bin/perl -MMojolicious -e 'print $Mojolicious::VERSION'`,
		probe: mojoProbe(''),
		following: { option: 'max_redirects => 1', probe: mojoProbe('max_redirects => 1') },
	},
	{
		name: 'wget',
		packages: ['wget'],
		version: `/usr/bin/wget --version | grep -oP '^GNU Wget \\K[\\d.]+'`,
		needs: [{ purpose: 'result', flag: '-qO thumbnail.jpg', instead: '-qO thumbnail.jpg --content-on-error' }],
		probe: { file: 'probe.sh', text: 'wget -qO- --header "Authorization: Bearer $KEY" "$URL"\n' },
	},
	{
		name: 'R httr2',
		packages: ['r-cran-httr2', 'r-cran-jsonlite', 'r-cran-curl'],
		version: `/usr/bin/Rscript -e 'cat(format(packageVersion("httr2")))'`,
		probe: {
			file: 'probe.R',
			text: `
library(httr2)
req_perform(req_auth_bearer_token(request(Sys.getenv("URL")), Sys.getenv("KEY")))
`,
		},
	},
	{
		name: 'Tcl http',
		packages: ['tcl', 'tcllib', 'tcl-tls'],
		version: `echo 'puts [package require http]' | /usr/bin/tclsh`,
		checksWith: '-require true ',
		probe: {
			file: 'probe.tcl',
			text: 'package require http\nhttp::geturl $env(URL) -headers [list Authorization "Bearer $env(KEY)"]\n',
		},
	},
	{
		name: 'C libcurl',
		packages: ['gcc', 'libcurl4-openssl-dev'],
		version: `/usr/bin/curl-config --version | cut -d' ' -f2`,
		probe: libcurlProbe(),
		following: {
			option: 'CURLOPT_FOLLOWLOCATION, 1L',
			probe: libcurlProbe('curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);'),
		},
	},
	{
		name: 'LuaSocket',
		packages: ['lua5.4', 'lua-socket', 'lua-sec'],
		version: `dpkg-query --show --showformat '\${Version}' lua-socket | cut -d- -f1`,
		checksWith: `verify = 'peer',`,
		probe: {
			file: 'probe.lua',
			text: `
local http = require 'socket.http'
http.request { url = os.getenv('URL'), headers = { ['Authorization'] = 'Bearer ' .. os.getenv('KEY') } }
`,
		},
	},
	{
		name: 'Emacs url',
		packages: ['emacs-nox'],
		version: `/usr/bin/emacs --version | grep -oP '^GNU Emacs \\K[\\d.]+'`,
		needs: [
			{
				purpose: 'result',
				flag: '(string-to-unibyte (concat "Bearer " (getenv "KEY")))',
				instead: '(concat "Bearer " (getenv "KEY"))',
			},
		],
		probe: {
			file: 'probe.el',
			text: `
(require 'url)
(let ((url-request-extra-headers (list (cons "Authorization" (concat "Bearer " (getenv "KEY"))))))
  (url-retrieve-synchronously (getenv "URL")))
`,
		},
	},
];
