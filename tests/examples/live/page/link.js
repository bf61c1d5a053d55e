// SPDX-License-Identifier: LGPL-2.1-or-later
// The WebSocket to the program. It is opened again with growing delays when it was lost, and closed
// while the browser has put the page to sleep, so that nothing waits for the page to wake up.

const FIRST_DELAY = 500; // ms
const LONGEST_DELAY = 8000;
const REFUSED = 4000; // code of a close: the program wants no connection of this page

export class Link {
  #address;
  #events;
  #socket = null;
  #timer = 0;
  #delay = FIRST_DELAY;

  // events: opened(), text(object), picture(kind, blob), slept(), which closed the connection, and
  // lost(milliseconds until the next try, or 0 where there is none, the program's reason).
  constructor(address, events) {
    this.#address = address;
    this.#events = events;
    document.addEventListener('visibilitychange', () => document.hidden || this.#openNow());
    document.addEventListener('freeze', () => this.#sleep());
    document.addEventListener('resume', () => this.#openNow());
    window.addEventListener('pagehide', () => this.#sleep());
    window.addEventListener('pageshow', (event) => event.persisted && this.#openNow());
    this.#open();
  }

  // What is said while there is no connection is forgotten: the program tells its state at the
  // start of the next one.
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #open() {
    const socket = new WebSocket(this.#address);
    // One that was given up may still tell something.
    const ifCurrent = (handle) => (event) => this.#socket === socket && handle(event);

    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = ifCurrent(() => this.#opened());
    socket.onmessage = ifCurrent(({ data }) => this.#read(data));
    socket.onclose = ifCurrent(({ code, reason }) => this.#lost(code, reason));
  }

  #opened() {
    this.#delay = FIRST_DELAY;
    this.#events.opened();
  }

  // One that was refused is not tried again until somebody looks at the page anew.
  #lost(code, reason) {
    this.#socket = null;
    if (code === REFUSED) {
      this.#events.lost(0, reason);
      return;
    }
    this.#timer = setTimeout(() => this.#open(), this.#delay);
    this.#events.lost(this.#delay, reason);
    this.#delay = Math.min(2 * this.#delay, LONGEST_DELAY);
  }

  // Somebody looks at the page again: no reason to wait.
  #openNow() {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#delay = FIRST_DELAY;
    this.#open();
  }

  #sleep() {
    const socket = this.#socket;

    clearTimeout(this.#timer);
    this.#socket = null;
    socket?.close();
    this.#events.slept();
  }

  #read(data) {
    if (typeof data === 'string') {
      this.#events.text(JSON.parse(data));
      return;
    }
    // A byte says which picture it is, seven more are for later; then the JPEG.
    const picture = new Blob([new Uint8Array(data, 8)], { type: 'image/jpeg' });
    this.#events.picture(new Uint8Array(data)[0], picture);
  }
}
