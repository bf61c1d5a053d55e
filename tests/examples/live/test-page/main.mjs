// SPDX-License-Identifier: LGPL-2.1-or-later
// The live example's page as somebody meets it who opens it in a browser. With words as an argument
// only the cases that have them in their names are run.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import * as the from './harness.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const clip = [...readFileSync('webcam-8x8.rgbx').subarray(0, 8 * 8 * 4)]; // its first picture
const ALIKE = 30; // levels by which pictures of the clip differ from its first at the most
const OTHER = 60; // levels by which every other picture differs from it at the least
const [only = ''] = process.argv.slice(2);

let browser, server, live;

before(async () => {
  [browser, server] = await Promise.all([the.startBrowser(), the.Server.start('invert')]);
  live = await the.Live.start(server);
});

after(async () => {
  await browser.close();
  await live.stop();
  await server.stop();
});

function run(name, body) {
  if (name.includes(only)) test(name, { timeout: 120000 }, body);
}

// @body gets the page, on which pictures come back.
function check(name, body, setting = {}) {
  run(name, async () => {
    const page = await the.openPage(browser, live, setting);
    try {
      await the.untilPictures(page, 'result');
      await body(page);
    } finally {
      await page.context().close();
    }
    assert.deepEqual(the.faults.splice(0), []);
  });
}

// Colours of a picture in 8 × 8 pixels, without the opacity.
const colors = (picture) => picture.filter((value, i) => i % 4 < 3);
const invert = (picture) => picture.map((value, i) => (i % 4 < 3 ? 255 - value : value));
const isClip = (picture) => the.differ(picture, clip) < ALIKE;
const isOther = (picture) => the.differ(picture, clip) > OTHER;
// The program's own clip is a white ball on black, which the model makes a black one on white.
const isBlack = (picture) => colors(picture).every((value) => value < 20);
const isDark = (picture) => colors(picture).every((value) => value < 200);
const isInverted = (picture) => colors(picture).filter((value) => value > 200).length > 100;

// ---- Pictures and figures ----

check('the two pictures differ, and both move', async (page) => {
  for (const name of ['input', 'result']) {
    const first = await the.readPixels(page, `${name}-picture`);
    await the.untilPictures(page, name, 3);
    assert.notEqual(await the.readPixels(page, `${name}-picture`), first, `${name} stands still`);
  }
  const [input, result] = [
    await the.shrink(page, 'input-picture'),
    await the.shrink(page, 'result-picture'),
  ];
  assert.ok(the.differ(input, result) > 100, 'nothing was inverted');
});

check('the chart moves, and says in words what it shows', async (page) => {
  await the.untilPoints(page, 2);
  const first = await the.readPixels(page, 'chart');
  await the.untilPoints(page, 5);
  assert.notEqual(await the.readPixels(page, 'chart'), first);
  await the.until(
    page,
    'the figures in the table',
    () =>
      [...document.querySelectorAll('#figures td')].filter((cell) => Number(cell.textContent) > 0)
        .length === 7,
  );
  await the.until(page, 'figures for those who do not see the chart', () =>
    /Age \d+ milliseconds, median \d+/.test(
      document.getElementById('chart').getAttribute('aria-label'),
    ),
  );
});

check('the counters count, and a sentence says what limits', async (page) => {
  await the.until(
    page,
    'an answer in the table',
    () =>
      Number(document.querySelector('[data-counter=answered]').textContent.replaceAll(',', '')) > 0,
  );
  const [camera, sent] = [
    await the.readCounter(page, 'frames-in'),
    await the.readCounter(page, 'sent'),
  ];
  assert.ok(camera > sent && sent > 0, `${camera} came and ${sent} went`);
  await the.until(page, 'the sentence', () => document.getElementById('limit').dataset.by);
});

// ---- Settings ----

check(
  'a prompt goes to the model while it is typed, but not letter by letter',
  async (page) => {
    const words = 'a cat in the rain';
    const asked = server.nextRequest('with the prompt', ({ prompt }) => prompt === words);

    await page.locator('#prompt').fill('');
    await page.locator('#prompt').pressSequentially(words, { delay: 15 });
    await asked;
    await the.untilText(page, 'launch', words);
    const prompts = await page.evaluate(() => window.sent.filter(({ name }) => name === 'prompt'));
    assert.ok(prompts.length < words.length / 2, `${prompts.length} prompts were sent`);
  },
  { prepare: noteSent },
);

check('one sees that a server on this machine stands in for a model', async (page) => {
  await the.untilText(page, 'connection', 'Connected to local/demo on this machine');
  assert.ok(await page.getByText('only stands in for a model').isVisible());
});

// In the page: what was sent to the program.
function noteSent() {
  const { send } = WebSocket.prototype;

  window.sent = [];
  WebSocket.prototype.send = function (text) {
    window.sent.push(JSON.parse(text));
    return send.call(this, text);
  };
}

check('what the program says does not disturb who types', async (page) => {
  const other = await page.context().newPage();

  await other.goto(live.address);
  await page.bringToFront();
  await page.locator('#prompt').fill('mine');
  await server.nextRequest('with this prompt', ({ prompt }) => prompt === 'mine');
  await other.locator('#prompt').fill('theirs');
  await the.untilText(page, 'launch', 'theirs');
  await the.untilPoints(page, 8); // for a second after a change the page takes no other value anyway
  assert.equal(await page.locator('#prompt').inputValue(), 'mine');
  await page.locator('#seed').focus();
  await the.until(
    page,
    'the prompt of the other page',
    () => document.getElementById('prompt').value === 'theirs',
  );
});

check('the strength goes to the model, or is left to it', async (page) => {
  const strength = page.locator('#strength');

  await strength.press('ArrowRight');
  await server.nextRequest('with a strength', (request) => request.strength === 0.51);
  assert.equal(await strength.getAttribute('aria-valuetext'), '0.51');
  await page.locator('#strength-unset').click();
  await server.nextRequest('without a strength', (request) => !('strength' in request));
  assert.equal(await strength.getAttribute('aria-valuetext'), 'left to the model');
});

check('the throttle interval is set where it is a number of milliseconds', async (page) => {
  const throttle = page.locator('#throttle');

  await the.until(page, 'the interval of now', () => document.getElementById('throttle').value === '128');
  await throttle.fill('40');
  await the.untilText(page, 'launch', 'throttle-interval=40 ');
  for (const wrong of ['-1', '4294967296', '1e2', '']) {
    await throttle.fill(wrong);
    await the.untilText(page, 'throttle-hint', 'not set');
    assert.equal(await throttle.getAttribute('aria-invalid'), 'true');
  }
  await throttle.fill('128');
  await the.untilText(page, 'launch', 'throttle-interval=128 ');
  assert.equal(await throttle.getAttribute('aria-invalid'), 'false');
});

check('the seed goes to the model where it is a whole number', async (page) => {
  const seed = page.locator('#seed');

  await seed.fill('7');
  await server.nextRequest('with a seed', (request) => request.seed === 7);
  await seed.fill('7.5');
  await the.untilText(page, 'seed-hint', 'not sent');
  assert.equal(await seed.getAttribute('aria-invalid'), 'true');
  await page.locator('#prompt').fill('after the wrong seed');
  const later = await server.nextRequest(
    'after it',
    ({ prompt }) => prompt === 'after the wrong seed',
  );
  assert.equal(later.seed, 7);
  await seed.fill('');
  await server.nextRequest('without a seed', (request) => !('seed' in request));
  assert.equal(await seed.getAttribute('aria-invalid'), 'false');
});

check('without the model pictures pass unchanged', async (page) => {
  await page.locator('#enabled').uncheck();
  await the.untilData(page, 'limit', 'by', 'off');
  await the.untilPicture(page, 'result', 'that of the camera', isDark);
  await page.locator('#enabled').check();
  await the.untilPicture(page, 'result', 'that of the model', isInverted);
});

// ---- The network ----

check(
  'without the network no picture comes back, until it is there again',
  async (page) => {
    await page.locator('#network').uncheck();
    await the.untilData(page, 'limit', 'by', 'offline');
    await the.untilText(page, 'connection', 'switched off');
    const count = await the.countPictures(page, 'result');
    await the.untilPictures(page, 'input', 20);
    assert.equal(await the.countPictures(page, 'result'), count);
    await the.until(
      page,
      'a warning',
      () => document.querySelector('[data-level=warning]') !== null,
    );
    await page.locator('#network').check();
    await the.untilPictures(page, 'result', 3);
    await the.untilData(page, 'connection', 'tone', 'good');
    const times = await page.evaluate(() => window.changes);
    times
      .slice(1)
      .forEach((time, i) =>
        assert.ok(time - times[i] > 1990, `the sentence changed at ${times} ms`),
      );
  },
  { prepare: noteSentences },
);

// In the page: when the sentence changed; at once, as an observer would be told after what is done
// then.
function noteSentences() {
  const { get, set } = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent');

  window.changes = [];
  document.addEventListener('readystatechange', () =>
    Object.defineProperty(document.getElementById('limit'), 'textContent', {
      configurable: true,
      get,
      set(text) {
        window.changes.push(performance.now());
        set.call(this, text);
      },
    }),
  );
}

check('a fallback is shown while no picture comes back', async (page) => {
  await page.locator('#fallback').selectOption('black');
  await the.untilText(page, 'launch', 'fallback=black');
  await page.locator('#network').uncheck();
  await the.untilPicture(page, 'result', 'black', isBlack);
  await page.locator('#network').check();
  await the.untilPicture(page, 'result', 'that of the model', isInverted);
  await page.locator('#fallback').selectOption('none');
  await the.untilText(page, 'launch', 'fallback=black', false);
});

// What a browser writes down itself where a WebSocket cannot be opened.
function forgiveLostConnections() {
  for (const fault of the.faults.splice(0))
    assert.match(fault, /^console: WebSocket connection to .* failed/);
}

check('a program that comes back is found again', async (page) => {
  const { port } = live;

  await live.stop();
  await the.untilText(page, 'connection', 'does not answer');
  await the.untilText(page, 'next-try', 'Next try in 0.5 s.');
  await the.untilText(page, 'next-try', 'Next try in 1 s.');
  live = await the.Live.start(server, port);
  await the.untilPictures(page, 'result', 3);
  await the.untilText(page, 'next-try', 'Next try', false);
  forgiveLostConnections();
});

run('what failed for good is told, and tried again by a button', async () => {
  const strict = await the.Server.start('invert', ['--token', 'another']);
  const refused = await the.Live.start(strict, 0, ['--token', 'a secret one', '--auth', 'token']);
  const page = await the.openPage(browser, refused);
  try {
    await the.untilText(page, 'connection', 'failed');
    await the.untilText(page, 'notices', 'Error');
    await page.locator('#reconnect').click();
    await the.until(
      page,
      'the second failure',
      () =>
        [...document.querySelectorAll('#notices p')].reduce(
          (sum, p) => sum + Number(p.dataset.times),
          0,
        ) > 1,
    );
    assert.ok(!(await page.content()).includes('a secret one'));
  } finally {
    await page.context().close();
    await refused.stop();
    await strict.stop();
  }
  assert.deepEqual(the.faults.splice(0), []);
});

check('a page too many is told so, and does not try again by itself', async (page) => {
  // It is one of eight.
  await page.evaluate(async () => {
    const address = `${location.origin.replace(/^http/, 'ws')}/live`;
    window.others = Array.from({ length: 7 }, () => new WebSocket(address));
    await Promise.all(
      window.others.map((socket) => new Promise((resolve) => (socket.onmessage = resolve))),
    );
  });
  const ninth = await the.openPage(browser, live, {
    prepare: () => {
      window.connections = 0;
      window.WebSocket = class extends WebSocket {
        constructor(...values) {
          super(...values);
          window.connections++;
        }
      };
      const { setTimeout } = window;

      window.delays = [];
      window.setTimeout = (call, delay, ...values) => {
        window.delays.push(delay);
        return setTimeout(call, delay, ...values);
      };
    },
  });
  try {
    await the.untilText(ninth, 'connection', 'too many pages');
    assert.ok(!(await ninth.evaluate(() => window.delays.includes(500)))); // that of a first try
    assert.equal(await ninth.evaluate(() => window.connections), 1);
  } finally {
    await ninth.context().close();
  }
});

check('notices that come again with a new connection stand there once', async (page) => {
  const count = () => page.locator('#notices p').count();

  await page.evaluate(async () => {
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/live`);
    await new Promise((resolve) => (socket.onopen = resolve));
    socket.send('{"type":"set","name":"strength","value":7}');
    socket.send('{"type":"set","name":"seed","value":0.5}');
  });
  await the.untilText(page, 'notices', 'seed');
  const before = await count();
  await page.evaluate(() => {
    document.dispatchEvent(new Event('freeze'));
    document.dispatchEvent(new Event('resume'));
  });
  await the.untilPictures(page, 'result', 3);
  assert.equal(await count(), before);
});

// ---- Cameras ----

async function useWebcam(page) {
  await page.locator('#camera').selectOption('browser');
  await the.untilPicture(page, 'input', 'of the clip', isClip);
}

check('the browser’s webcam is the camera, until it is switched off', async (page) => {
  await the.untilPicture(page, 'input', 'another', isOther);
  await useWebcam(page);
  await the.untilPicture(page, 'result', 'made of the clip', (picture) => isClip(invert(picture)));
  const first = await the.readPixels(page, 'input-picture');
  await the.untilPictures(page, 'input', 10);
  assert.notEqual(await the.readPixels(page, 'input-picture'), first);
  await page.locator('#camera').selectOption('clip');
  await the.untilPicture(page, 'input', 'another', isOther);
  assert.deepEqual(await page.evaluate(() => window.tracks.map((track) => track.readyState)), [
    'ended',
  ]);
});

check('a webcam goes on in a program that was started anew', async (page) => {
  const { port } = live;

  await useWebcam(page);
  await live.stop();
  await the.untilText(page, 'connection', 'does not answer');
  assert.deepEqual(await page.evaluate(() => window.tracks.map((track) => track.readyState)), [
    'ended',
  ]);
  live = await the.Live.start(server, port);
  await the.untilPicture(page, 'input', 'of the clip', isClip);
  forgiveLostConnections();
});

check('the page says in words why there is no webcam', async (page) => {
  const reasons = {
    NotAllowedError: 'did not allow',
    NotFoundError: 'No webcam',
    NotReadableError: 'another program',
  };

  for (const [name, words] of Object.entries(reasons)) {
    await page.evaluate((error) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', error));
    }, name);
    await page.locator('#camera').selectOption('browser');
    await the.untilText(page, 'camera-hint', words);
    assert.equal(await page.locator('#camera').inputValue(), 'clip');
  }
});

check('a webcam that is unplugged makes room for the clip', async (page) => {
  await useWebcam(page);
  await page.evaluate(() => {
    window.tracks[0].stop(); // which tells nobody
    window.tracks[0].dispatchEvent(new Event('ended'));
  });
  await the.untilText(page, 'camera-hint', 'unplugged');
  await the.untilPicture(page, 'input', 'another', isOther);
  await the.untilText(page, 'notices', 'the clip plays');
});

// ---- A tab that nobody sees ----

// @body gets a tab that really is hidden when it says so.
function checkTab(name, body) {
  run(name, async () => {
    const tab = await the.Tab.open(browser, live.address);
    try {
      await tab.until('a picture', `${count} > 0`);
      await body(tab);
    } finally {
      await tab.close();
    }
  });
}

// Expressions for the tab.
const find = (id) => `document.getElementById('${id}')`;
const count = `Number(${find('input-picture')}.dataset.count)`;
const points = `Number(${find('chart')}.dataset.points)`;
const camera = `${find('camera')}.value`;

checkTab('for a tab that is not seen nothing waits, and its webcam rests', async (tab) => {
  await tab.evaluate(`${camera} = 'browser', ${find('camera')}.dispatchEvent(new Event('change'))`);
  await tab.until(
    'the webcam’s pictures',
    `${find('input-note')}.textContent.startsWith('webcam')`,
  );
  await tab.hide();
  const [shown, sampled, came] = [
    await tab.evaluate(count),
    await tab.evaluate(points),
    tab.pictures,
  ];
  await tab.until(
    'what the program says',
    `${find('notices')}.textContent.includes('webcam is hidden')`,
  );
  const requests = server.lines; // of the model, where each is one
  // That is three seconds; after two without a picture the program would be back at the clip, and
  // at eight pictures a second for the model.
  await tab.until('samples, in the meantime', `${points} > ${sampled} + 15`);
  assert.ok(server.lines <= requests + 2, `${server.lines - requests} pictures were paid for`);
  assert.ok(
    tab.pictures - came <= 2,
    `${tab.pictures - came} pictures came to a page that nobody saw`,
  );
  assert.equal(await tab.evaluate(count), shown);
  assert.equal(await tab.evaluate(camera), 'browser');
  await tab.show();
  await tab.until('new pictures', `${count} > ${shown} + 2`);
  assert.equal(await tab.evaluate(camera), 'browser');
  assert.ok(server.lines > requests);
});

checkTab('a tab that the browser put to sleep lets go, and is back at once', async (tab) => {
  await tab.evaluate(`{
    window.said = [];
    const observer = new MutationObserver(() => said.push(${find('connection')}.textContent));
    observer.observe(${find('connection')}, { childList: true });
  }`);
  await tab.hide();
  await tab.freeze();
  await tab.wake();
  await tab.show();
  const shown = await tab.evaluate(count);
  await tab.until('new pictures', `${count} > ${shown} + 2`);
  await tab.until('the connection', `${find('connection')}.dataset.tone === 'good'`);
  assert.equal(tab.connections, 2);
  // What sleeps is not told that the program is gone.
  assert.equal(await tab.evaluate("said.join('; ')"), '');
});

// ---- For everybody ----

check('the two pictures are level, also where one caption has two lines', async (page) => {
  const [input, result] = await page.evaluate(() =>
    ['input', 'result'].map((name, i) => {
      document.getElementById(`${name}-note`).textContent = 'more words '.repeat(i ? 1 : 9);
      return document.getElementById(`${name}-picture`);
    }).map((picture) => picture.getBoundingClientRect().bottom),
  );
  assert.equal(input, result);
});

check('axe finds nothing to mend in light and in dark', async (page) => {
  await page.locator('#seed').fill('wrong'); // what is wrong is to be read, too
  await the.untilText(page, 'seed-hint', 'not sent');
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await the.untilPoints(page);
    const { violations } = await page.evaluate(() => window.axe.run());
    const found = violations.map(
      ({ id, impact, nodes }) =>
        `${colorScheme}, ${impact}, ${id}: ${nodes.map(({ html }) => html)}`,
    );
    assert.deepEqual(found, []);
  }
});

check(
  'the keyboard reaches all controls in their order, and one sees where it is',
  async (page) => {
    const controls = [
      'skip',
      'prompt',
      'camera',
      'strength',
      'strength-unset',
      'seed',
      'throttle',
      'fallback',
      'enabled',
      'network',
      'copy',
    ];
    const reached = [];

    await page.evaluate(() => {
      // Else there is nothing to be left to the model.
      document.getElementById('strength').dispatchEvent(new Event('input'));
    });
    while (reached.length < controls.length) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate(() => {
          const { id, className } = document.activeElement;
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          const isSeen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
          return `${id || className}${isSeen ? '' : ' without an outline'}`;
        }),
      );
    }
    assert.deepEqual(reached, controls);
    await page.locator('#strength-unset').press('Enter');
    await the.until(
      page,
      'the focus on the slider',
      () => document.activeElement.id === 'strength',
    );
  },
);

// 640 pixels are a window of 1280 at 200 %.
check('nothing reaches out of a page of 320 or 640 pixels', async (page) => {
  for (const width of [320, 640]) {
    await page.setViewportSize({ width, height: 640 });
    await the.untilPoints(page);
    const [outside, scrolls] = await page.evaluate(() => {
      const { clientWidth, scrollWidth } = document.documentElement;
      const isOutside = (element) => element.getBoundingClientRect().right > clientWidth + 0.5;
      const found = [...document.querySelectorAll('main *, header *')].filter(isOutside);
      return [found.map(({ outerHTML }) => outerHTML.slice(0, 80)), scrollWidth > clientWidth];
    });
    assert.deepEqual(outside, [], `at ${width} pixels`);
    assert.equal(scrolls, false, `at ${width} pixels`);
  }
});

check(
  'the chart stands still for a second where motion is not wanted',
  async (page) => {
    const times = await the.until(
      page,
      'drawings',
      () => window.drawings.length >= 5 && window.drawings,
    );
    const gaps = times.slice(2).map((time, i) => time - times[i + 1]);
    assert.ok(
      gaps.every((gap) => gap >= 990),
      `it was drawn after ${gaps} ms`,
    );
  },
  { reducedMotion: 'reduce', prepare: noteDrawings },
);

// In the page: when the chart was drawn, which begins with a new size of its canvas.
function noteDrawings() {
  const { scale } = CanvasRenderingContext2D.prototype;

  window.drawings = [];
  CanvasRenderingContext2D.prototype.scale = function (...factors) {
    window.drawings.push(performance.now());
    return scale.apply(this, factors);
  };
}

check(
  'the command can be copied',
  async (page) => {
    const command = await page.locator('#launch').textContent();

    assert.match(command, /^gst-launch-1\.0 .*falrealtimefilter/s);
    await page.locator('#copy').click();
    await the.untilText(page, 'copied', 'Copied.');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), command);
  },
  { permissions: ['clipboard-read', 'clipboard-write'] },
);

// ---- The picture for the README ----

run('a picture of the page', async () => {
  const cartoonist = await the.Server.start('cartoon');
  const shown = await the.Live.start(cartoonist, 0, [
    '--prompt',
    'a cartoon of the person, bold outlines',
  ]);
  const page = await the.openPage(browser, shown, { viewport: { width: 1280, height: 1124 } });
  try {
    await useWebcam(page);
    await the.untilPictures(page, 'result', 5);
    // About five samples a second; SECONDS=50 nearly fills the chart.
    for (let i = 0; i < Number(process.env.SECONDS ?? 1); i++) await the.untilPoints(page, 5);
    await page.screenshot({ path: '../live.png' });
    assert.ok(statSync('../live.png').size > 50000);
  } finally {
    await page.context().close();
    await shown.stop();
    await cartoonist.stop();
  }
  assert.deepEqual(the.faults.splice(0), []);
});
