// SPDX-License-Identifier: LGPL-2.1-or-later
// The unmodified @fal-ai/client against the local server: what the client of the field
// understands, the server speaks. Nothing of the client is changed; only the two ways out of this
// process, WebSocket and fetch, lead to the loopback in place of fal's hosts.
//
// usage: client.mjs [PATH-OF-FAL-LOCAL-SERVER], or FAL_LOCAL_SERVER in the environment

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { createFalClient } from '@fal-ai/client';
import WebSocket from 'ws';

const PROGRAM = process.argv[2] ?? process.env.FAL_LOCAL_SERVER;
const WATCHDOG = 10000; // ms: a wait that takes longer has failed
const JPEG = [0xff, 0xd8, 0xff];
const PNG = [0x89, 0x50, 0x4e, 0x47];

let address; // of the server of now, ws://127.0.0.1:PORT
let sockets; // what happened to the sockets of now: {opened, refusal, code}

// What arrives, in order, each waited for on its own.
class Inbox {
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
    let timer;
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no ${what} within ${WATCHDOG} ms`)), WATCHDOG);
    });
    const item = new Promise((resolve) => this.#waiters.push(resolve));
    return Promise.race([item, late]).finally(() => clearTimeout(timer));
  }
}

globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...rest) {
    assert.ok(url.startsWith('wss://fal.run/'), url);
    super(url.replace('wss://fal.run', address), ...rest);
    const inbox = sockets;
    this.on('open', () => inbox.push({ opened: url, extensions: this.extensions }));
    this.on('error', (error) => inbox.push({ refusal: error.message }));
    this.on('close', (code) => inbox.push({ code }));
  }
};

const plainFetch = globalThis.fetch;
let tokenReplies;
globalThis.fetch = async (url, options) => {
  assert.equal(String(url), 'https://rest.fal.ai/tokens/');
  const reply = await plainFetch(`${address.replace('ws:', 'http:')}/tokens/`, options);
  tokenReplies.push(reply.status);
  return reply;
};

// Runs @body with a server started with @args, and stops it.
async function withServer(args, body) {
  const server = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = new Inbox();
  createInterface({ input: server.stdout }).on('line', lines.push);
  const ended = new Promise((resolve, reject) => {
    server.on('exit', (status) => resolve(status));
    server.on('error', reject);
  });
  try {
    const line = await Promise.race([
      lines.next('first line of the server'),
      ended.then((status) => assert.fail(`the server ended at once, with ${status}`)),
    ]);
    assert.match(line, /^listening on ws:\/\/127\.0\.0\.1:\d+$/);
    address = line.slice('listening on '.length);
    sockets = new Inbox();
    tokenReplies = new Inbox();
    await body();
  } finally {
    server.kill('SIGTERM');
  }
  assert.equal(await ended, 0);
}

let keys = 0;

function connect(app, options = {}) {
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

async function nextOf(kind) {
  for (;;) {
    const event = await sockets.next(`socket event "${kind}"`);
    if (kind in event) return event[kind];
  }
}

const bytesOf = (dataUri) => Buffer.from(dataUri.split(';base64,')[1], 'base64');

function assertPicture(bytes, magic) {
  assert.ok(bytes instanceof Uint8Array, 'bytes in place of a picture');
  assert.deepEqual([...bytes.slice(0, magic.length)], magic);
}

// A JPEG of 512×512, made by the server itself.
async function makePicture() {
  let bytes;
  await withServer([], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion');
    send({ prompt: 'a cat' });
    bytes = Buffer.from((await results.next('result')).images[0].content);
    close();
  });
  return bytes;
}

assert.ok(PROGRAM, 'give the path of fal-local-server');
const picture = await makePicture(); // not in a hook: early releases of Node 18 skip those
const pictureUri = `data:image/jpeg;base64,${picture.toString('base64')}`;

// schema, app, path, the image's field, its form, where the result's picture is, its kind, echo
const SCHEMAS = [
  ['turbo', 'fal-ai/fast-turbo-diffusion', , 'image_bytes', 'bytes',
    (result) => result.images[0].content, JPEG, true],
  ['lcm', 'fal-ai/lcm-sd15-i2i', , 'image_url', 'uri',
    (result) => bytesOf(result.images[0].url), JPEG, true],
  ['klein', 'fal-ai/flux-2/klein/realtime', , 'image_url', 'uri',
    (result) => result.images[0].content, JPEG, false],
  ['birefnet', 'fal-ai/birefnet', , 'image_bytes', 'bytes',
    (result) => result.image.content, PNG, false],
  ['sd-turbo', 'fal-ai/sd-turbo-real-time-high-fps-msgpack', '/ws', 'image', 'bytes',
    (result) => result.image, JPEG, true],
];

for (const [schema, app, path, field, form, pictureOf, magic, echoes] of SCHEMAS) {
  test(`the client gets a picture from a ${schema} app`, () =>
    withServer(['--schema', schema], async () => {
      const { send, close, results, errors } = connect(app, { path });
      send({ prompt: 'a cat', [field]: form === 'uri' ? pictureUri : picture, request_id: 'r-1' });
      const result = await results.next('result');
      assertPicture(pictureOf(result), magic);
      assert.equal(result.request_id, echoes ? 'r-1' : undefined);
      assert.equal(errors.length, 0);
      close();
    }));
}

test('a raw app says that it is ready, then sends a JPEG and nothing around it', () =>
  withServer(['--schema', 'raw'], async () => {
    const { send, close, results } = connect('fal-ai/krea-wan-14b', {
      path: '/ws',
      decodeMessage: (data) => (typeof data === 'string' ? JSON.parse(data) : { raw: data }),
    });
    send({ prompt: 'a cat', start_frame: picture });
    assert.deepEqual(await results.next('ready'), { status: 'ready' });
    assertPicture((await results.next('picture')).raw, JPEG);
    close();
  }));

test('an app with a JSON codec answers JSON in a binary frame', () =>
  withServer(['--schema', 'json'], async () => {
    const { send, close, results } = connect('me/my-json-app', {
      encodeMessage: (input) => new TextEncoder().encode(JSON.stringify(input)),
      decodeMessage: (data) => JSON.parse(new TextDecoder().decode(data)),
    });
    send({ prompt: 'a cat', image_url: pictureUri, request_id: 'j' });
    const result = await results.next('result');
    assertPicture(bytesOf(result.images[0].url), JPEG);
    assert.equal(result.request_id, 'j');
    close();
  }));

test('a result says what the captured one says', () =>
  withServer([], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion');
    send({ prompt: 'a cat', image_bytes: picture, seed: 6252023, request_id: 7 });
    const { images, timings, ...rest } = await results.next('result');
    const { content, ...described } = images[0];
    assertPicture(content, JPEG);
    assert.deepEqual(described, { width: 512, height: 512, content_type: 'image/jpeg' });
    assert.ok(timings.inference > 0);
    assert.deepEqual(rest, {
      seed: 6252023,
      num_inference_steps: 4,
      has_nsfw_concepts: [false],
      request_id: '7', // a typed app's: text
    });
    close();
  }));

test('an echo brings back the very bytes', () =>
  withServer(['--effect', 'echo', '--no-echo-request-id'], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion');
    send({ image_bytes: picture, request_id: 'r' });
    const result = await results.next('result');
    assert.ok(picture.equals(result.images[0].content));
    assert.ok(!('request_id' in result));
    close();
  }));

test('klein sends two pictures where interpolation is enabled', () =>
  withServer(['--schema', 'klein'], async () => {
    const { send, close, results } = connect('fal-ai/flux-2/klein/realtime');
    send({ prompt: 'a cat', image_url: pictureUri, enable_interpolation: true });
    const { images } = await results.next('result');
    assert.equal(images.length, 2);
    close();
  }));

test('timings pass the client unseen', () =>
  withServer(['--timings'], async () => {
    const { send, close, results, errors } = connect('fal-ai/fast-turbo-diffusion');
    for (const id of ['1', '2']) {
      send({ prompt: 'x', request_id: id });
      assert.equal((await results.next('result')).request_id, id);
    }
    assert.equal(errors.length, 0);
    close();
  }));

test('an app with buffering answers the first and the newest request', () =>
  withServer(['--delay-ms', '200', '--buffering', '1'], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion', { maxBuffering: 1 });
    send({ prompt: 'x', request_id: 'opens the connection' });
    await results.next('result');
    for (const id of ['1', '2', '3', '4', '5']) send({ prompt: 'x', request_id: id });
    assert.equal((await results.next('result')).request_id, '1');
    assert.equal((await results.next('result')).request_id, '5');
    close();
  }));

test('an idle session ends without an error, and the next send opens another', () =>
  withServer(['--session-timeout-ms', '100'], async () => {
    const { send, close, results, errors } = connect('fal-ai/fast-turbo-diffusion');
    for (const id of ['1', '2']) {
      send({ prompt: 'x', request_id: id });
      assert.equal((await results.next('result')).request_id, id);
      assert.equal(await nextOf('code'), 1000);
    }
    assert.equal(errors.length, 0);
    close();
  }));

// what is wrong, what the client is told, what it sends, its encoder
const FAILURES = [
  ['a model that explodes', 'INTERNAL_ERROR: model exploded: CUDA out of memory',
    { prompt: 'boom' }],
  ['a text frame', "INTERNAL_ERROR: 'bytes'", { prompt: 'x' }, (input) => JSON.stringify(input)],
  ['a picture that is none', /^INTERNAL_ERROR: cannot identify image file/,
    { prompt: 'x', image_bytes: Buffer.from('no picture') }],
  ['an image that is nil', /^INTERNAL_ERROR: image_bytes/, { prompt: 'x', image_bytes: null }],
];

for (const [what, message, input, encodeMessage] of FAILURES) {
  test(`the client is told of ${what}`, () =>
    withServer([], async () => {
      const { send, close, errors } = connect('fal-ai/fast-turbo-diffusion', { encodeMessage });
      send(input);
      const error = await errors.next('error');
      if (message instanceof RegExp) assert.match(error.message, message);
      else assert.equal(error.message, message);
      assert.equal(await nextOf('code'), 1000);
      close();
    }));
}

test('deflate is offered by the client and not taken up', () =>
  withServer([], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion');
    send({ prompt: 'x' });
    await results.next('result');
    assert.equal(await nextOf('extensions'), '');
    close();
  }));

test('a wrong token is refused with 401', () =>
  withServer(['--token', 'good'], async () => {
    const { send, close, errors } = connect('fal-ai/fast-turbo-diffusion', {
      tokenProvider: async () => 'bad',
    });
    send({ prompt: 'x' });
    assert.match(await nextOf('refusal'), /401/);
    assert.equal((await errors.next('error')).status, 500); // all that the client knows of it
    close();
  }));

test('the token of the provider is accepted, and the query is as the field has it', () =>
  withServer(['--token', 'go+od/='], async () => {
    const asked = [];
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion', {
      maxBuffering: 5,
      tokenProvider: async (endpoint) => asked.push(endpoint) && 'go+od/=',
    });
    send({ prompt: 'x' });
    await results.next('result');
    assert.deepEqual(asked, ['fal-ai/fast-turbo-diffusion/realtime']);
    assert.equal(await nextOf('opened'), 'wss://fal.run/fal-ai/fast-turbo-diffusion/realtime' +
      '?fal_jwt_token=go%2Bod%2F%3D&max_buffering=5');
    close();
  }));

test('the client asks for a token with its key, and is let in with it', () =>
  withServer(['--api-key', 'id:secret'], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion', {
      credentials: 'id:secret',
      tokenProvider: undefined,
    });
    send({ prompt: 'x' });
    await results.next('result');
    assert.equal(await tokenReplies.next('token reply'), 200);
    close();
  }));

test('a wrong key gets no token', () =>
  withServer(['--api-key', 'id:secret'], async () => {
    const { send, close } = connect('fal-ai/fast-turbo-diffusion', {
      credentials: 'id:wrong',
      tokenProvider: undefined,
    });
    send({ prompt: 'x' });
    assert.equal(await tokenReplies.next('token reply'), 401);
    close();
  }));

test('an app that does not exist is refused with 404', () =>
  withServer([], async () => {
    const { send, close, errors } = connect('missing/app');
    send({ prompt: 'x' });
    assert.match(await nextOf('refusal'), /404/);
    await errors.next('error');
    close();
  }));
