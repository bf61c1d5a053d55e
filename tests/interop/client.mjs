// SPDX-License-Identifier: LGPL-2.1-or-later
// The unmodified @fal-ai/client against the local server: what the client of the field
// understands, the server speaks. schemas.mjs has what each kind of app does.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { encode } from '@msgpack/msgpack';
import {
  JPEG, assertPicture, bytesOf, check, connect, getTokenReplies, nextOf, picture, pictureUri,
  withPeer, withServer,
} from './harness.mjs';

check('a result says what the captured one says', () =>
  withServer([], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion');
    send({ prompt: 'a cat', image_bytes: picture, seed: 6252023, request_id: 7 });
    const { images, timings, ...rest } = await results.next('result');
    const { content, ...described } = images[0];
    assertPicture(content, JPEG);
    assert.deepEqual(described, { width: 256, height: 256, content_type: 'image/jpeg' });
    assert.ok(timings.inference > 0);
    assert.deepEqual(rest, {
      seed: 6252023,
      num_inference_steps: 4,
      has_nsfw_concepts: [false],
      request_id: '7', // a typed app's: text
    });
    close();
  }));

check('an echo brings back the very bytes', () =>
  withServer(['--effect', 'echo', '--no-echo-request-id'], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion');
    send({ image_bytes: picture, request_id: 'r' });
    const result = await results.next('result');
    assert.ok(picture.equals(result.images[0].content));
    assert.ok(!('request_id' in result));
    close();
  }));

check('klein sends two pictures where interpolation is enabled', () =>
  withServer(['--schema', 'klein'], async () => {
    const { send, close, results } = connect('fal-ai/flux-2/klein/realtime');
    send({ prompt: 'a cat', image_url: pictureUri, enable_interpolation: true });
    const { images } = await results.next('result');
    assert.equal(images.length, 2);
    close();
  }));

check('timings pass the client unseen', () =>
  withServer(['--timings'], async () => {
    const { send, close, results, errors } = connect('fal-ai/fast-turbo-diffusion');
    for (const id of ['1', '2']) {
      send({ prompt: 'x', request_id: id });
      assert.equal((await results.next('result')).request_id, id);
    }
    assert.equal(errors.length, 0);
    close();
  }));

check('an app with buffering answers the first and the newest request', () =>
  withServer(['--delay-ms', '200', '--buffering', '1'], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion', { maxBuffering: 1 });
    send({ prompt: 'x', request_id: 'opens the connection' });
    await results.next('result');
    for (const id of ['1', '2', '3', '4', '5']) send({ prompt: 'x', request_id: id });
    assert.equal((await results.next('result')).request_id, '1');
    assert.equal((await results.next('result')).request_id, '5');
    close();
  }));

check('an idle session ends without an error, and the next send opens another', () =>
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
  check(`the client is told of ${what}`, () =>
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

check('deflate is offered by the client and not taken up', () =>
  withServer([], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion');
    send({ prompt: 'x' });
    await results.next('result');
    assert.equal(await nextOf('extensions'), '');
    close();
  }));

check('a wrong token is refused with 401', () =>
  withServer(['--token', 'good'], async () => {
    const { send, close, errors } = connect('fal-ai/fast-turbo-diffusion', {
      tokenProvider: async () => 'bad',
    });
    send({ prompt: 'x' });
    assert.match(await nextOf('refusal'), /401/);
    assert.equal((await errors.next('error')).status, 500); // all that the client knows of it
    close();
  }));

check('the token of the provider is accepted, and the query is as the field has it', () =>
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

check('the client asks for a token with its key, and is let in with it', () =>
  withServer(['--api-key', 'id:secret'], async () => {
    const { send, close, results } = connect('fal-ai/fast-turbo-diffusion', {
      credentials: 'id:secret',
      tokenProvider: undefined,
    });
    send({ prompt: 'x' });
    await results.next('result');
    assert.equal(await getTokenReplies().next('token reply'), 200);
    close();
  }));

check('a wrong key gets no token', () =>
  withServer(['--api-key', 'id:secret'], async () => {
    const { send, close } = connect('fal-ai/fast-turbo-diffusion', {
      credentials: 'id:wrong',
      tokenProvider: undefined,
    });
    send({ prompt: 'x' });
    assert.equal(await getTokenReplies().next('token reply'), 401);
    close();
  }));

check('an app that does not exist is refused with 404', () =>
  withServer([], async () => {
    const { send, close, errors } = connect('missing/app');
    send({ prompt: 'x' });
    assert.match(await nextOf('refusal'), /404/);
    await errors.next('error');
    close();
  }));

const UNAUTHORIZED = { status: 'error', error: 'Unauthorized' };

for (const [form, refusal] of [
  ['text', JSON.stringify(UNAUTHORIZED)],
  ['msgpack', encode(UNAUTHORIZED)],
]) {
  check(`after Unauthorized in ${form} the client asks for another token`, () => {
    let asked = 0;
    const answer = ({ connection }) => (connection === 1 ? refusal : encode({ seed: 1 }));
    return withPeer(answer, async () => {
      const { send, close, results, errors } = connect('fal-ai/fast-turbo-diffusion', {
        tokenProvider: async () => `token-${++asked}`,
      });
      send({ prompt: 'x' });
      assert.match(await nextOf('opened'), /fal_jwt_token=token-1$/);
      while (asked < 2) {
        await pause(5); // the client tells nobody that it has read the refusal
        send({ prompt: 'x' });
      }
      assert.match(await nextOf('opened'), /fal_jwt_token=token-2$/);
      assert.deepEqual(await results.next('result'), { seed: 1 });
      assert.equal(errors.length, 0);
      close();
    });
  });
}
