// SPDX-License-Identifier: LGPL-2.1-or-later
// This browser's webcam. A worker asks for a picture whenever the program wants the next one; what it
// is given it sends as JPEG. While nobody sees the page it sends none, since a model is paid for.

const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const REFUSALS = {
  NotAllowedError:
    'The browser did not allow the webcam. Allow it beside the address, then choose it again.',
  NotFoundError: 'No webcam was found on this machine.',
  NotReadableError: 'The webcam could not be opened. Perhaps another program uses it.',
  OverconstrainedError: 'The webcam makes no pictures that fit here.',
  AbortError: 'The webcam could not be started.',
};

// Why there is no webcam, in words.
export function explain(error) {
  return REFUSALS[error.name] ?? `The webcam could not be started: ${error.message}`;
}

async function request() {
  // Browsers keep it from pages that are neither of this machine nor https.
  if (!navigator.mediaDevices) throw new Error('this browser offers it to no page like this one.');
  return navigator.mediaDevices.getUserMedia({ video: WANTED, audio: false });
}

async function play(stream) {
  const video = document.createElement('video');

  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  return video;
}

export class Webcam {
  #address;
  #ended; // called with the reason, and whether it may go on later, when it ends by itself
  #video = null;
  #worker = null;
  #turn = 0; // counts opens and stops, since opening waits for the user's permission

  constructor(address, ended) {
    this.#address = address;
    this.#ended = ended;
  }

  // Switches the webcam on. False: it was stopped meanwhile. Throws what getUserMedia() does.
  async open() {
    const turn = ++this.#turn;
    const video = await play(await request());
    const [track] = video.srcObject.getTracks();

    if (turn !== this.#turn) {
      track.stop();
      return false;
    }
    this.#video = video;
    track.addEventListener('ended', () =>
      this.#end('The webcam was switched off or unplugged.', false),
    );
    return true;
  }

  // Its pictures go to the program from now on.
  send() {
    const [track] = this.#video.srcObject.getTracks();
    const worker = new Worker('webcam-worker.js');

    this.#worker = worker;
    worker.onmessage = ({ data }) =>
      data.wanted ? this.#give(worker) : this.#end(data.reason, !data.wasClean);
    worker.postMessage({
      address: this.#address,
      interval: 1000 / (track.getSettings().frameRate || 30),
    });
  }

  // Whether somebody sees the page.
  rest(hidden) {
    this.#worker?.postMessage({ hidden });
  }

  stop() {
    this.#turn++;
    this.#worker?.terminate(); // its WebSocket closes with it
    this.#video?.srcObject.getTracks()[0].stop();
    this.#worker = this.#video = null;
  }

  async #give(worker) {
    const picture = await createImageBitmap(this.#video).catch(() => null); // null: none came yet

    worker.postMessage({ picture }, picture ? [picture] : []);
  }

  #end(reason, mayGoOn) {
    this.stop();
    this.#ended(reason, mayGoOn);
  }
}
