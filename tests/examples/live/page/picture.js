// SPDX-License-Identifier: LGPL-2.1-or-later
// One of the two pictures. The program sends the next one once this one was acknowledged, which
// happens when it is on the screen: so a slow page gets fewer pictures instead of old ones. A page
// that nobody sees acknowledges nothing until it is looked at.

const STALE = 2000; // ms without a new picture before the page says so

export class Picture {
  #canvas;
  #context;
  #note;
  #acknowledge;
  #origin = ''; // where the pictures come from, in words
  #count = 0;
  #countBefore = 0; // a second ago
  #shownAt = 0; // ms, of performance.now(); 0: never
  #owed = false; // a picture came that was not acknowledged
  #turn = 0; // counts what makes the pictures under way worthless

  constructor(name, acknowledge) {
    this.#canvas = document.getElementById(`${name}-picture`);
    this.#context = this.#canvas.getContext('2d', { alpha: false });
    this.#note = document.getElementById(`${name}-note`);
    this.#acknowledge = acknowledge;
    document.addEventListener('visibilitychange', () =>
      document.hidden ? this.#hide() : this.#wake(),
    );
    setInterval(() => this.#tell(), 1000);
  }

  set origin(words) {
    this.#origin = words;
  }

  async receive(blob) {
    const turn = this.#turn;

    this.#owed = true;
    if (document.hidden) return;
    const bitmap = await createImageBitmap(blob).catch(() => null);
    requestAnimationFrame(() => {
      if (turn === this.#turn) this.#show(bitmap);
      bitmap?.close();
    });
  }

  // A new connection owes nothing to the one before.
  restart() {
    this.#turn++;
    this.#owed = false;
  }

  #show(bitmap) {
    if (bitmap) this.#draw(bitmap);
    this.#owed = false;
    this.#acknowledge();
  }

  #draw(bitmap) {
    const { width, height } = this.#canvas;

    if (width !== bitmap.width || height !== bitmap.height)
      [this.#canvas.width, this.#canvas.height] = [bitmap.width, bitmap.height];
    this.#context.drawImage(bitmap, 0, 0);
    this.#canvas.dataset.count = ++this.#count;
    this.#shownAt = performance.now();
    this.#canvas.classList.remove('stale');
  }

  // What is being decoded would be old when the page is seen again.
  #hide() {
    this.#turn++;
    this.#countBefore = this.#count;
  }

  #wake() {
    if (!this.#owed) return;
    this.#owed = false;
    this.#acknowledge();
  }

  #tell() {
    const pause = performance.now() - this.#shownAt;
    const rate = this.#count - this.#countBefore;
    const { width, height } = this.#canvas;

    this.#countBefore = this.#count;
    if (!this.#shownAt || document.hidden) return;
    this.#canvas.classList.toggle('stale', pause > STALE);
    const pace =
      pause > STALE ? `no new picture for ${Math.round(pause / 1000)} s` : `${rate} a second`;
    this.#note.textContent = [this.#origin, `${width} × ${height}`, pace]
      .filter(Boolean)
      .join(', ');
  }
}
