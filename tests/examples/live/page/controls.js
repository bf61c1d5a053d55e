// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings. What somebody is changing right now is not overwritten by what the program says,
// which may be older; once they are done it is.

const TYPING = 150; // ms of silence after which a text is taken to be finished
const DRAGGING = 80; // ms between two values of a slider that moves
const SETTLING = 1000; // ms after which the program's word counts again

const find = (id) => document.getElementById(id);

// One control: what it shows comes from the program, what somebody does to it goes there.
class Control {
  #element;
  #apply; // says what stands there to the program
  #write; // shows a value
  #known; // what the program said last
  #timer = 0;
  #changedAt = -SETTLING;

  constructor(element, write, apply) {
    this.#element = element;
    this.#write = write;
    this.#apply = apply;
    element.addEventListener('change', () => this.#timer && this.change(0)); // Enter, or it is left
    element.addEventListener('blur', () => this.#settle());
  }

  // The value goes to the program in @delay ms, or at once. @anew: count from now, where one waits.
  change(delay, anew = true) {
    this.#changedAt = performance.now();
    if (this.#timer && !anew) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), delay);
  }

  show(value) {
    this.#known = value;
    this.#settle();
  }

  #send() {
    this.#timer = 0;
    this.#changedAt = performance.now();
    this.#apply();
    setTimeout(() => this.#settle(), SETTLING);
  }

  #settle() {
    const typing = this.#element.type === 'text' && this.#element === document.activeElement;
    const fresh = performance.now() - this.#changedAt < SETTLING;

    if (!this.#timer && !typing && !fresh && this.#known !== undefined) this.#write(this.#known);
  }
}

function makePrompt(set) {
  const input = find('prompt');
  const control = new Control(
    input,
    (value) => (input.value = value ?? ''),
    () => set('prompt', input.value),
  );

  input.addEventListener('input', () => control.change(TYPING));
  return control;
}

function makeStrength(set) {
  const [input, words, unset] = [find('strength'), find('strength-value'), find('strength-unset')];
  let chosen = false; // false: the model's own strength
  const tell = () => {
    const value = chosen ? Number(input.value).toFixed(2) : 'the model’s';
    words.textContent = value;
    input.setAttribute('aria-valuetext', chosen ? value : 'left to the model');
    input.classList.toggle('unset', !chosen);
    unset.disabled = !chosen;
  };
  const write = (value) => {
    chosen = value !== null;
    input.value = value ?? 0.5;
    tell();
  };
  const control = new Control(input, write, () =>
    set('strength', chosen ? Number(input.value) : null),
  );

  input.addEventListener('input', () => {
    chosen = true;
    tell();
    control.change(DRAGGING, false);
  });
  unset.addEventListener('click', () => {
    input.focus(); // the button is about to be disabled
    write(null);
    control.change(0);
  });
  tell();
  return control;
}

// A text that is to be a whole number. @accept says whether this one will do (null: nothing stands
// there); @complaint is shown where not. @apply gets the number.
function makeNumber(id, accept, complaint, apply) {
  const [input, hint] = [find(id), find(`${id}-hint`)];
  const usual = hint.textContent;
  const read = () => {
    const text = input.value.trim();
    if (text === '') return null;
    return /^-?\d+$/.test(text) ? Number(text) : NaN;
  };
  const check = () => {
    const fine = accept(read());
    input.setAttribute('aria-invalid', !fine);
    hint.textContent = fine ? usual : complaint;
    return fine;
  };
  const write = (value) => {
    input.value = value ?? '';
    check();
  };
  const control = new Control(input, write, () => check() && apply(read()));

  input.addEventListener('input', () => control.change(2 * TYPING));
  return control;
}

const isSeed = (value) => value === null || Number.isSafeInteger(value);
const isInterval = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;

function makeSwitch(id, say) {
  const input = find(id);
  const control = new Control(
    input,
    (value) => (input.checked = value),
    () => say(input.checked),
  );

  input.addEventListener('input', () => control.change(0));
  return control;
}

function makeFallback(set) {
  const select = find('fallback');
  const control = new Control(
    select,
    (value) => (select.value = value),
    () => set('fallback', select.value),
  );

  select.addEventListener('input', () => control.change(0));
  return control;
}

export class Controls {
  #settings;
  #network;

  // @send gets the messages for the program.
  constructor(send) {
    const set = (name, value) => send({ type: 'set', name, value });

    this.#settings = {
      prompt: makePrompt(set),
      strength: makeStrength(set),
      seed: makeNumber('seed', isSeed, 'This is no whole number, so it was not sent.', (value) =>
        set('seed', value),
      ),
      'throttle-interval': makeNumber(
        'throttle',
        isInterval,
        'This is no number of milliseconds, so it was not set.',
        (value) => set('throttle-interval', value),
      ),
      enabled: makeSwitch('enabled', (on) => set('enabled', on)),
      fallback: makeFallback(set),
    };
    this.#network = makeSwitch('network', (on) => send({ type: 'network', on }));
    for (const form of document.forms)
      form.addEventListener('submit', (event) => event.preventDefault());
  }

  show({ settings, network }) {
    for (const [name, control] of Object.entries(this.#settings)) control.show(settings[name]);
    this.#network.show(network);
  }
}
