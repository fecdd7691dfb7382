import { describe, expect, it } from 'vitest';
import { type Delimiter, detectDelimiter } from '../../src/tasks/profile-csv/delimiter.ts';

function detect(text: string, isWhole = true): Delimiter {
	return detectDelimiter(new TextEncoder().encode(text), isWhole);
}

describe('detectDelimiter', () => {
	const FILES: [string, string, Delimiter][] = [
		['a comma', 'a,b\n1,2\n', ','],
		['a semicolon', 'a;b\n1;2\n', ';'],
		['a tab', 'a\tb\n1\t2\n', '\t'],
		['a pipe', 'a|b\n1|2\n', '|'],
		['a comma when there is nothing to find', 'a\n1\n', ','],
		['a comma in an empty file', '', ','],
		['the semicolon beside decimal commas', 'a;b\n1,5;2,5\n3,5;4,5\n', ';'],
		['the comma beside semicolons in the data', 'a,b\n1;1;1,2\n2;2;2,3\n', ','],
		['the comma beside a header with a semicolon', 'id,name (first;last),city\n1,x;y,z\n', ','],
		['what is not in quotes', '"a,x";"b,y"\n"1,1";"2,2"\n', ';'],
		['what is not in quotes with quotes in them', 'a;b\n"1 ""x"", y, z";2\n"3,""4,""";5\n', ';'],
		['what is not in quotes with line ends in them', 'a;b\n"1,\n2,\n3,";4\n', ';'],
		['what is not in quotes with quotes and delimiters in them', '"a ""x"", y, z";b\n"c ""x"", y, z";d\n', ';'],
		['what is not behind a quote within a cell', 'size";name;x\n1;2;3\n', ';'],
		['what is found more often, of two that all rows agree on', 'a;b;c,d\n', ';'],
		['the comma, of two that are found as often', 'a;b,c\n', ','],
		['the delimiter of most rows', 'a,b,c\n1,2,3\n1,2\n1,2,3\n', ','],
		['the same with CRLF', 'a;b\r\n1,1;2\r\n', ';'],
		['the same with CR', 'a;b\r1,1;2\r', ';'],
		['the same after blank lines', '\n\na;b\n\n1,1;2\n', ';'],
		['the delimiter beside quotes within cells', 'size;name\n5" pipe, long;x\n6" pipe, short;y\n', ';'],
	];

	it.each(FILES)('finds %s', (_, text, delimiter) => {
		expect(detect(text)).toBe(delimiter);
	});

	it('leaves out a last line that is cut off', () => {
		expect(detect('a;b,c\n1;2,3\n4,', false)).toBe(',');
		expect(detect('a;b;c,d,e\n1;2;3,4,5\n1;2;', false)).toBe(',');
		expect(detect('a;b;c,d,e\n1;2;3,4,5\n1;2;', true)).toBe(';');
	});

	it('looks at a line that never ends', () => {
		expect(detect('a|b|c', false)).toBe('|');
	});
});
