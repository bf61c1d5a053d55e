// SPDX-License-Identifier: LGPL-2.1-or-later
// What the cases share: the local server and a peer of our own, the client led to either, programs
// that end in time, and pictures.
//
// Nothing of the client is changed; only the two ways out of this process, WebSocket and fetch,
// lead to the loopback in place of fal's hosts.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { createFalClient } from '@fal-ai/client';
import WebSocket, { WebSocketServer } from 'ws';

const WATCHDOG = 10000; // ms: a wait that takes longer has failed
export const BUILD = process.env.FAL_BUILD;
export const SOURCE = process.env.FAL_SOURCE;
const SERVER = process.env.FAL_LOCAL_SERVER;
assert.ok(BUILD && SOURCE && SERVER, 'start this with tests/interop/run BUILD-FOLDER');

const folder = mkdtempSync(join(tmpdir(), 'gst-fal-interop-'));
const children = new Set(); // programs that run now
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// ---- Cases ----

export const names = []; // of all cases so far

// @skip: why it cannot be run here, if so. @patience: so many times the time that the others have.
export function check(name, body, { skip, patience = 1 } = {}) {
  names.push(name);
  test(name, { timeout: 2 * patience * WATCHDOG, skip }, body);
}

// ---- Waiting ----

async function within(promise, what, patience = 1) {
  let timer;
  const limit = patience * WATCHDOG;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${limit} ms`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// What arrives, in order, each waited for on its own.
export class Inbox {
  #items = [];
  #waiters = [];

  push = (item) => {
    const waiter = this.#waiters.shift();
    if (waiter) waiter(item);
    else this.#items.push(item);
  };

  get length() {
    return this.#items.length;
  }

  async next(what) {
    if (this.#items.length > 0) return this.#items.shift();
    return within(new Promise((resolve) => this.#waiters.push(resolve)), what);
  }
}

// ---- Programs ----

// Starts a program; its "ended" tells the exit status and the signal.
function start(program, args, stdio) {
  const child = spawn(program, args, { stdio });
  children.add(child);
  child.ended = new Promise((resolve, reject) => {
    child.on('close', (status, signal) => resolve(signal ?? status));
    child.on('error', reject);
  }).finally(() => children.delete(child));
  child.ended.catch(() => {}); // told to whoever waits for it
  return child;
}

// Runs a program to its end; returns what it printed. @patience: as check() has it.
export async function run(program, args, patience) {
  const child = start(program, args, ['ignore', 'pipe', 'pipe']);
  let output = '', errors = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (errors += data));
  try {
    const status = await within(child.ended, `end of ${program}`, patience);
    assert.equal(status, 0, `${program} ended with ${status}\n${errors}${output}`);
    return output;
  } finally {
    child.kill('SIGKILL');
  }
}

// ---- Servers ----

let address; // of the server of now, ws://127.0.0.1:PORT
let sockets; // what happened to the client's sockets of now: {opened, refusal, said, code}
let tokenReplies;

export const getAddress = () => address;
export const getTokenReplies = () => tokenReplies;

function lead(to) {
  address = to;
  sockets = new Inbox();
  tokenReplies = new Inbox();
}

// Runs @body with a local server started with @args, and stops it. @program: one that becomes a local server.
export async function withServer(args, body, program = SERVER) {
  const server = start(program, args, ['ignore', 'pipe', 'inherit']);
  const lines = new Inbox();
  createInterface({ input: server.stdout }).on('line', lines.push);
  try {
    const line = await Promise.race([
      lines.next('first line of the server'),
      server.ended.then((status) => assert.fail(`the server ended at once, with ${status}`)),
    ]);
    assert.match(line, /^listening on ws:\/\/127\.0\.0\.1:\d+$/);
    lead(line.slice('listening on '.length));
    await body();
  } catch (error) {
    server.kill('SIGKILL');
    throw error;
  }
  server.kill('SIGTERM');
  try {
    assert.equal(await within(server.ended, 'end of the server'), 0);
  } finally {
    server.kill('SIGKILL');
  }
}

// Runs @body with a server of our own, which gives each request to @answer: what that returns is
// sent back. Requests are {data, isBinary, connection: 1…}.
export async function withPeer(answer, body) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  let connections = 0;
  server.on('connection', (socket) => {
    const connection = ++connections;
    socket.on('error', () => {}); // the other side may go at any time
    socket.on('message', (data, isBinary) => socket.send(answer({ data, isBinary, connection })));
  });
  await within(new Promise((resolve) => server.once('listening', resolve)), 'port of the peer');
  lead(`ws://127.0.0.1:${server.address().port}`);
  try {
    await body();
  } finally {
    for (const socket of server.clients) socket.terminate();
    await within(new Promise((resolve) => server.close(resolve)), 'end of the peer');
  }
}

// ---- The client ----

globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...rest) {
    assert.ok(url.startsWith('wss://fal.run/'), url);
    super(url.replace('wss://fal.run', address), ...rest);
    const inbox = sockets;
    this.on('open', () => inbox.push({ opened: url, extensions: this.extensions }));
    this.on('error', (error) => inbox.push({ refusal: error.message }));
    this.on('message', (data, isBinary) => isBinary || inbox.push({ said: String(data) }));
    this.on('close', (code) => inbox.push({ code }));
  }
};

// The next event of the client's sockets that is of @kind; those before it are forgotten.
export async function nextOf(kind) {
  for (;;) {
    const event = await sockets.next(`socket event "${kind}"`);
    if (kind in event) return event[kind];
  }
}

const plainFetch = globalThis.fetch;
globalThis.fetch = async (url, options) => {
  assert.equal(String(url), 'https://rest.fal.ai/tokens/');
  const reply = await plainFetch(`${address.replace('ws:', 'http:')}/tokens/`, options);
  tokenReplies.push(reply.status);
  return reply;
};

let keys = 0;

export function connect(app, options = {}) {
  const results = new Inbox();
  const errors = new Inbox();
  const { credentials, ...handler } = { tokenProvider: async () => 'any', ...options };
  const client = createFalClient({ credentials, suppressLocalCredentialsWarning: true });
  const connection = client.realtime.connect(app, {
    connectionKey: `key-${++keys}`, // Node 18 has no global crypto to make one
    throttleInterval: 0,
    onResult: results.push,
    onError: errors.push,
    ...handler,
  });
  return { ...connection, results, errors };
}

// ---- Pictures ----

export const JPEG = [0xff, 0xd8, 0xff];
export const PNG = [0x89, 0x50, 0x4e, 0x47];

export const picturePath = join(process.env.FAL_TEST_DATA, 'astronaut.jpg'); // 256×256
export const picture = readFileSync(picturePath);
export const pictureUri = `data:image/jpeg;base64,${picture.toString('base64')}`;

export const bytesOf = (dataUri) => Buffer.from(dataUri.split(';base64,')[1], 'base64');

export function assertPicture(bytes, magic) {
  assert.ok(bytes instanceof Uint8Array, 'bytes in place of a picture');
  assert.deepEqual([...bytes.slice(0, magic.length)], magic);
}

export function keepFile(name, bytes) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

// The pixels of a JPEG or PNG, four bytes each: red, green, blue, alpha.
export async function decodePicture(bytes) {
  const pixels = join(folder, 'pixels');
  const input = keepFile('picture', bytes);
  await run('gst-launch-1.0', ['-q', 'filesrc', `location=${input}`, '!', 'decodebin', '!',
    'videoconvert', '!', 'video/x-raw,format=RGBA', '!', 'filesink', `location=${pixels}`]);
  return readFileSync(pixels);
}
