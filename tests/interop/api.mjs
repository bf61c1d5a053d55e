// SPDX-License-Identifier: LGPL-2.1-or-later
// The client's realtime API, read from the types it is published with, and the table in README.md of what
// answers to each member here: one row a member, each naming a test case that exists.
//
// A row is | `member` | what answers here | `case` |, the case being the path of a GTest program
// ("/frames-and-results/…", as its -l prints it) or "interop: " and the name of a case of these files.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, SOURCE, check, names, run } from './harness.mjs';

const TYPES = ['RealtimeConnection', 'RealtimeConnectionHandler', 'RealtimeClient'];
const SUITES = ['unit', 'element', 'server', 'faults'];

// ---- The client's side ----

// The text between the braces that open at @from.
function blockAt(text, from) {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return text.slice(from + 1, i);
  }
  throw new Error('a block without an end');
}

// Splits at each ; that stands in no bracket.
function splitMembers(block) {
  const members = [''];
  let depth = 0;
  for (const c of block) {
    if ('({['.includes(c)) depth++;
    if (')}]'.includes(c)) depth--;
    if (c === ';' && depth === 0) members.push('');
    else members[members.length - 1] += c;
  }
  return members.map((member) => member.trim()).filter((member) => member !== '');
}

function nameOf(member) {
  const match = member.match(/^(?:readonly\s+)?(\w+)\??\s*[:(<]/);
  assert.ok(match, `a member that this cannot read: ${member}`);
  return match[1];
}

// Those of the three types, and of the types of the same file that they are made of.
export function readMembers(declarations) {
  const text = declarations.replace(/\/\*[^]*?\*\//g, '').replace(/\/\/.*/g, '');
  const blocks = new Map();
  for (const match of text.matchAll(/\b(?:interface\s+(\w+)[^{;]*|type\s+(\w+)[^={;]*=\s*)\{/g))
    blocks.set(match[1] ?? match[2], blockAt(text, match.index + match[0].length - 1));
  const members = new Set();
  const todo = [...TYPES];
  for (const type of todo) {
    assert.ok(blocks.has(type), `the client has no type ${type}`);
    for (const member of splitMembers(blocks.get(type))) {
      members.add(nameOf(member));
      for (const [word] of member.matchAll(/\w+/g))
        if (blocks.has(word) && !todo.includes(word)) todo.push(word);
    }
  }
  return [...members];
}

// ---- Our side ----

// The rows of the table whose heading, or the line before it, names the client; NULL: no table.
export function readTable(text) {
  const lines = text.split('\n');
  const isRow = (line) => line?.startsWith('|');
  for (const [i, line] of lines.entries()) {
    if (!line.includes('@fal-ai/client')) continue;
    let at = i;
    if (!isRow(line)) {
      at++;
      while (lines[at]?.trim() === '') at++;
    }
    if (!isRow(lines[at]) || !/^\|[-| :]+\|$/.test(lines[at + 1] ?? '')) continue;
    const rows = [];
    for (at += 2; isRow(lines[at]); at++) rows.push(lines[at]);
    return rows;
  }
  return null;
}

// What is wrong with the @rows, a line each.
export function findFaults(rows, members, cases) {
  if (rows === null) return ['there is no table headed by a line with @fal-ai/client'];
  const faults = [], met = new Set();
  for (const row of rows) {
    const match = row.match(/^\| `(\w+)` \| (.*\S.*) \| `([^`|]+)` \|$/);
    if (!match) {
      faults.push(`not of the form | \`member\` | what answers | \`case\` |: ${row}`);
      continue;
    }
    const [, member, , testCase] = match;
    if (!members.includes(member)) faults.push(`${member} is no member`);
    if (met.has(member)) faults.push(`${member} has two rows`);
    if (!cases.includes(testCase)) faults.push(`${member}: there is no case ${testCase}`);
    met.add(member);
  }
  for (const member of members) if (!met.has(member)) faults.push(`${member} has no row`);
  return faults;
}

async function listCases() {
  const cases = names.map((name) => `interop: ${name}`);
  for (const suite of SUITES) {
    const folder = join(BUILD, 'tests', suite);
    const programs = readdirSync(folder, { withFileTypes: true }).filter(
      (entry) => entry.isFile() && /^test-[\w-]+$/.test(entry.name));
    assert.ok(programs.length > 0, `no test program in ${folder}: build it first`);
    for (const { name } of programs) {
      const list = (await run(join(folder, name), ['-l'])).split('\n');
      cases.push(...list.filter((line) => line.startsWith('/')));
    }
  }
  return cases;
}

// ---- The cases ----

const declarations = readFileSync('node_modules/@fal-ai/client/src/realtime.d.ts', 'utf8');

check('the members of the realtime API are read from its types', () => {
  const made = `
    type Id = { id: string; };
    /** interface Hidden { no: string; } */
    export interface RealtimeConnection<Input> { send(input: Input & Partial<Id>): void; }
    export interface RealtimeConnectionHandler<Output> {
      readonly a?: { b: string; c: number; };
      // d: string;
      onE?(result: Output): void;
    }
    export interface RealtimeClient { connect<A = any>(app: string): RealtimeConnection<A>; }
    type Other = { config: string; };`;
  assert.deepEqual(readMembers(made), ['send', 'a', 'onE', 'connect', 'id']);
  assert.throws(() => readMembers(made.replace('RealtimeClient', 'Another')), /no type/);
  assert.throws(() => readMembers(made.replace('readonly a?', '[key: string]')), /cannot read/);
  const members = readMembers(declarations);
  for (const known of ['send', 'close', 'connect', 'onResult', 'request_id'])
    assert.ok(members.includes(known), known);
});

check('what is wrong with a table is found', () => {
  const cases = ['/a/b', 'interop: c d'];
  const good = ['| `x` | one | `/a/b` |', '| `y` | two | `interop: c d` |'];
  const table = (rows) => `# About\n@fal-ai/client in a text\n\n## \`@fal-ai/client\`\n\n` +
    `| member | here | test |\n|---|---|---|\n${rows.join('\n')}\n\nmore\n| \`z\` | no | \`no\` |\n`;
  const faultsOf = (rows) => findFaults(readTable(table(rows)), ['x', 'y'], cases);
  assert.deepEqual(faultsOf(good), []);
  assert.deepEqual(faultsOf(good.slice(1)), ['x has no row']);
  assert.deepEqual(faultsOf([...good, '| `z` | no | `/a/b` |']), ['z is no member']);
  assert.deepEqual(faultsOf([...good, good[0]]), ['x has two rows']);
  assert.deepEqual(faultsOf([good[0], '| `y` | two | `/a/c` |']), ['y: there is no case /a/c']);
  assert.match(faultsOf([good[0], '| `y` |  | `/a/b` |'])[0], /^not of the form/);
  assert.equal(readTable('about @fal-ai/client\n\nno table'), null);
  assert.match(findFaults(null, [], [])[0], /no table/);
});

check('README has a row for each member of the realtime API', async () => {
  const rows = readTable(readFileSync(join(SOURCE, 'tests/interop/README.md'), 'utf8'));
  assert.deepEqual(findFaults(rows, readMembers(declarations), await listCases()), []);
});
