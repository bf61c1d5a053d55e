// SPDX-License-Identifier: LGPL-2.1-or-later
// The unmodified @fal-ai/client and each kind of app that the local server plays: a result with a
// changed picture, the end for idleness, a model that fails, a refused token, a second session.

import assert from 'node:assert/strict';
import {
  Inbox, JPEG, PNG, assertPicture, bytesOf, check, connect, decodePicture, nextOf, picture,
  pictureUri, run, withServer,
} from './harness.mjs';

// Apps that send frames in place of maps: what is text is a message, what is not is a picture.
const decodeRaw = (data) => (typeof data === 'string' ? JSON.parse(data) : { raw: data });

// What each is sent, and where the picture is in what it answers. echoes: request_id comes back;
// ready: says so before all else; options: of the client's connect(); inputAfter: what a session's
// later requests hold in place of input, given the result before. blocks: the app answers so many later
// requests at once, and does not answer the one that opens the session.
const SCHEMAS = [
  { schema: 'turbo', app: 'fal-ai/fast-turbo-diffusion', echoes: true,
    input: { image_bytes: picture }, pictureOf: (result) => result.images[0].content },
  { schema: 'lcm', app: 'fal-ai/lcm-sd15-i2i', echoes: true,
    input: { image_url: pictureUri }, pictureOf: (result) => bytesOf(result.images[0].url) },
  { schema: 'lcm-sd15', app: 'fal-ai/lcm-sd15-i2i', echoes: true,
    input: { image_url: pictureUri, sync_mode: true }, // else the result is a link
    pictureOf: (result) => bytesOf(result.images[0].url) },
  { schema: 'klein', app: 'fal-ai/flux-2/klein/realtime',
    input: { image_url: pictureUri }, pictureOf: (result) => result.images[0].content },
  { schema: 'birefnet', app: 'fal-ai/birefnet', magic: PNG,
    input: { image_bytes: picture }, pictureOf: (result) => result.image.content },
  { schema: 'sd-turbo', app: 'fal-ai/sd-turbo-real-time-high-fps-msgpack', echoes: true,
    options: { path: '/ws' }, input: { image: picture }, pictureOf: (result) => result.image },
  { schema: 'live-portrait', app: 'fal-ai/live-portrait', echoes: true,
    input: { image_bytes: picture, initial_image_url: pictureUri },
    inputAfter: ({ x_d_0_info, r_d_0 }) => ({ image_bytes: picture, x_d_0_info, r_d_0 }),
    pictureOf: (result) => result.images[0].content },
  { schema: 'krea', app: 'fal-ai/krea-wan-14b', ready: true,
    options: { path: '/ws', decodeMessage: decodeRaw },
    input: { start_frame: picture }, inputAfter: () => ({ image: picture }), blocks: [9, 12],
    pictureOf: (result) => result.raw },
  { schema: 'raw', app: 'me/my-raw-app', ready: true,
    options: { path: '/ws', decodeMessage: decodeRaw },
    input: { start_frame: picture }, pictureOf: (result) => result.raw },
  { schema: 'json', app: 'me/my-json-app', echoes: true,
    options: {
      encodeMessage: (input) => new TextEncoder().encode(JSON.stringify(input)),
      decodeMessage: (data) => JSON.parse(Buffer.from(data)), // text or bytes
    },
    input: { image_url: pictureUri }, pictureOf: (result) => bytesOf(result.images[0].url) },
];

check('each schema of the server is met here', async () => {
  const help = await run(process.env.FAL_LOCAL_SERVER, ['--help']);
  const [, list] = help.match(/--schema=NAME +(.*)/);
  assert.deepEqual(list.split(', ').sort(), SCHEMAS.map(({ schema }) => schema).sort());
});

// ---- What all of them do ----

// The next of as many results as came at once.
async function nextOfBlock(connection, size) {
  const result = await connection.results.next('result');
  for (let n = 1; n < size; n++) await connection.results.next('result of the block');
  return result;
}

// Sends a session's first request and waits for the result, before which the app may say that it is
// ready.
async function ask(connection, row) {
  connection.send({ prompt: 'a cat', ...row.input, request_id: 'r-1' });
  if (row.ready) assert.deepEqual(await connection.results.next('ready'), { status: 'ready' });
  for (let n = 0; n < (row.blocks?.[0] ?? 0); n++) connection.send(row.inputAfter());
  return nextOfBlock(connection, row.blocks?.[0] ?? 1);
}

const inputAfter = (row, result) => row.inputAfter?.(result) ?? row.input;

// The same for those that come later, as many as have an answer together.
async function askAgain(connection, row, result) {
  const size = row.blocks?.[1] ?? 1;
  for (let n = 0; n < size; n++) connection.send({ ...inputAfter(row, result), prompt: 'a dog' });
  return nextOfBlock(connection, size);
}

const distance = (one, other) => one.reduce((sum, level, i) => sum + Math.abs(level - other[i]), 0);

// The server's effect is the negative, so that is what the picture must show: where it is not cut
// out, that is; there it must be transparent in part.
async function assertNegative(bytes, cutout) {
  const sent = await decodePicture(picture);
  const came = await decodePicture(bytes);
  assert.equal(came.length, sent.length);
  const seen = [...came.keys()].filter((i) => i % 4 !== 3 && came[i - (i % 4) + 3] > 250);
  const share = seen.length / (came.length * 0.75);
  if (cutout) assert.ok(share > 0.2 && share < 0.95, `${share} of the cutout can be seen`);
  else assert.equal(share, 1);
  const levels = seen.map((i) => came[i]);
  const negative = distance(levels, seen.map((i) => 255 - sent[i])) / seen.length;
  const unchanged = distance(levels, seen.map((i) => sent[i])) / seen.length;
  assert.ok(negative < 8, `${negative} levels from the negative`);
  assert.ok(unchanged > 40, `${unchanged} levels from what was sent`);
}

const KINDS = {
  'a changed picture comes back': (row) =>
    withServer(['--schema', row.schema], async () => {
      const connection = connect(row.app, row.options);
      const result = await ask(connection, row);
      assertPicture(row.pictureOf(result), row.magic ?? JPEG);
      await assertNegative(row.pictureOf(result), row.magic === PNG);
      assert.equal(result.request_id, row.echoes ? 'r-1' : undefined);
      assert.equal(connection.errors.length, 0);
      connection.close();
    }),

  'TIMEOUT ends the session and is no error': (row) =>
    withServer(['--schema', row.schema, '--session-timeout-ms', '100'], async () => {
      const connection = connect(row.app, row.options);
      await ask(connection, row);
      for (;;) {
        const said = JSON.parse(await nextOf('said'));
        if (said.status === 'ready') continue;
        assert.deepEqual([said.type, said.error], ['x-fal-error', 'TIMEOUT']);
        break;
      }
      assert.equal(await nextOf('code'), 1000);
      assert.equal(connection.errors.length, 0);
      connection.close();
    }),

  'INTERNAL_ERROR is told and ends the session': (row) =>
    withServer(['--schema', row.schema], async () => {
      const both = new Inbox(); // results and errors in their order
      const connection = {
        ...connect(row.app, { ...row.options, onResult: both.push, onError: both.push }),
        results: both,
        next: (what) => both.next(what),
      };
      const result = await ask(connection, row);
      const another = await askAgain(connection, row, result);
      assert.equal(another.message, undefined, 'an error in place of the second result');
      connection.send({ ...inputAfter(row, another), prompt: 'boom' });
      const { message, body } = await connection.next('error');
      assert.equal(message, 'INTERNAL_ERROR: model exploded: CUDA out of memory');
      assert.equal(body.type, 'x-fal-error');
      assert.equal(await nextOf('code'), 1000);
      connection.close();
    }),

  'who is unauthorized gets 401, who is not a result': (row) =>
    withServer(['--schema', row.schema, '--token', 'good'], async () => {
      const refused = connect(row.app, { ...row.options, tokenProvider: async () => 'bad' });
      refused.send({ prompt: 'a cat', ...row.input });
      assert.match(await nextOf('refusal'), /401/);
      await refused.errors.next('error');
      const connection = connect(row.app, { ...row.options, tokenProvider: async () => 'good' });
      assertPicture(row.pictureOf(await ask(connection, row)), row.magic ?? JPEG);
      assert.equal(refused.results.length, 0);
      refused.close();
      connection.close();
    }),

  'a send after a close opens another session': (row) =>
    withServer(['--schema', row.schema], async () => {
      const connection = connect(row.app, row.options);
      for (let session = 0; session < 2; session++) {
        assertPicture(row.pictureOf(await ask(connection, row)), row.magic ?? JPEG);
        await nextOf('opened');
        connection.close();
        await nextOf('code'); // sooner, the late close of the old socket would end the new one
      }
      assert.equal(connection.results.length, 0);
    }),
};

for (const row of SCHEMAS)
  for (const [what, body] of Object.entries(KINDS))
    check(`${row.schema}: ${what}`, () => body(row));
