// SPDX-License-Identifier: LGPL-2.1-or-later
// Which camera the program uses. The choice shows what the program says; the webcam of this browser
// runs only while it is the program's camera and was chosen here.

import { explain, Webcam } from './webcam.js';

const CAMERAS = {
  clip: 'The recorded clip',
  device: 'A camera of the program’s machine',
  browser: 'This browser’s webcam',
};
const ORIGINS = { clip: 'recorded clip', device: 'camera', browser: 'webcam' };
const HINT =
  'A webcam’s pictures go to the program on this machine, and from there to the model; none go ' +
  'while this page is hidden.';

export class CameraChoice {
  #select = document.getElementById('camera');
  #hint = document.getElementById('camera-hint');
  #send;
  #webcam;
  #phase = 'off'; // of this browser's webcam: off, opening, offered (to the program), on
  #offered = ''; // the cameras to choose from
  #program = ''; // the program's camera of now
  #reachable = false; // the program is
  #goesOn = false; // the webcam was interrupted, and goes on as soon as it can

  // @address of the WebSocket that takes pictures. @send gets the messages for the program.
  constructor(address, send) {
    this.#send = send;
    this.#webcam = new Webcam(address, (reason, mayGoOn) =>
      this.#stop(reason, mayGoOn || document.hidden),
    );
    this.#select.addEventListener('change', () => this.#choose(this.#select.value));
    document.addEventListener('visibilitychange', () => {
      this.#webcam.rest(document.hidden);
      this.#resume();
    });
    this.#hint.textContent = HINT;
  }

  describe(camera) {
    return ORIGINS[camera] ?? camera;
  }

  show({ camera, cameras }) {
    this.#program = camera;
    this.#offer(cameras);
    if (this.#phase === 'offered' && camera === 'browser') this.#begin();
    // One that nobody saw stop was too slow for the program, else somebody chose another camera.
    else if (this.#phase === 'on' && camera !== 'browser') this.#stop(HINT, document.hidden);
    this.#select.value = this.#phase === 'off' ? camera : 'browser';
  }

  // The program is there, or is back.
  reach() {
    this.#reachable = true;
    this.#resume();
  }

  // The program is gone, so nobody takes the pictures.
  interrupt() {
    this.#reachable = false;
    if (this.#phase !== 'off') this.#stop(HINT, true);
  }

  #resume() {
    if (this.#goesOn && this.#reachable && !document.hidden) this.#choose('browser');
  }

  #offer(cameras) {
    if (this.#offered === cameras.join()) return;
    this.#offered = cameras.join();
    this.#select.replaceChildren(...cameras.map((name) => new Option(CAMERAS[name] ?? name, name)));
  }

  async #choose(camera) {
    this.#stop(HINT, false);
    if (camera === 'browser') await this.#open();
    else this.#send({ type: 'camera', from: camera });
  }

  async #open() {
    this.#phase = 'opening';
    this.#select.value = 'browser';
    this.#hint.textContent = 'Waiting for the browser to allow the webcam…';
    try {
      if (!(await this.#webcam.open())) return;
    } catch (error) {
      this.#stop(explain(error), false);
      return;
    }
    this.#phase = 'offered';
    this.#send({ type: 'camera', from: 'browser' });
    if (this.#program === 'browser') this.#begin(); // another tab's until now
  }

  #begin() {
    this.#phase = 'on';
    this.#hint.textContent = HINT;
    this.#webcam.send();
    this.#webcam.rest(document.hidden);
  }

  #stop(reason, goesOn) {
    this.#webcam.stop();
    this.#goesOn = goesOn;
    if (this.#phase !== 'off') this.#hint.textContent = reason;
    this.#phase = 'off';
    this.#select.value = this.#program;
  }
}
