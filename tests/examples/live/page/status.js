// SPDX-License-Identifier: LGPL-2.1-or-later
// The two sentences about how it goes: the connection above, what limits now beside the chart.
// Screen readers speak each change, so there are few.

const PERIOD = 2000; // ms between two changes of the sentence
const SAME_PERIOD = 8000; // ms until the numbers in a sentence are brought up to date
const CONNECTIONS = {
  idle: ['waiting', (app) => `Not connected to ${app}: no picture needs it`],
  authenticating: ['waiting', (app) => `Asking for access to ${app}…`],
  connecting: ['waiting', (app) => `Connecting to ${app}…`],
  'warming-up': ['waiting', (app) => `${app} is starting. The first time this may take a minute`],
  connected: ['good', (app) => `Connected to ${app}`],
  waiting: ['bad', (app) => `The connection to ${app} was lost. It is tried again`],
  failed: ['bad', (app) => `The connection to ${app} failed`],
};

function describeState({ app: name, local, connection, network, settings }) {
  const app = local ? `${name} on this machine` : name;

  if (!settings.enabled) return ['waiting', 'The model is switched off here'];
  if (!network) return ['bad', 'The network is switched off here'];
  const [tone, words] = CONNECTIONS[connection] ?? ['waiting', () => `${app}: ${connection}`];

  return [tone, words(app)];
}

export class Status {
  #connection = document.getElementById('connection');
  #nextTry = document.getElementById('next-try');
  #again = document.getElementById('reconnect');
  #limit = document.getElementById('limit');
  #changedAt = -SAME_PERIOD;

  // @reconnect is called when somebody wants a connection that failed for good to be tried again.
  constructor(reconnect) {
    this.#again.addEventListener('click', reconnect);
  }

  showState(state) {
    this.#nextTry.textContent = '';
    this.#again.hidden = state.connection !== 'failed';
    this.#tell(...describeState(state));
  }

  // The program is not reached. @delay: ms until the next try, 0: none. @reason: its own, or empty.
  showLost(delay, reason) {
    this.#nextTry.textContent = delay
      ? `Next try in ${delay / 1000} s.`
      : 'Close one of them, then load this one again.';
    this.#again.hidden = true;
    this.#tell(
      'bad',
      reason ? `The program says: ${reason}.` : 'The program does not answer. Was it stopped?',
    );
  }

  showLimit({ by, sentence }) {
    const isNew = by !== this.#limit.dataset.by;
    const period = isNew ? PERIOD : SAME_PERIOD;

    if (sentence === this.#limit.textContent || performance.now() - this.#changedAt < period)
      return;
    this.#changedAt = performance.now();
    // Other numbers in the same sentence are nothing to interrupt anybody for.
    this.#limit.setAttribute('aria-live', isNew ? 'polite' : 'off');
    this.#limit.dataset.by = by;
    this.#limit.textContent = sentence;
  }

  #tell(tone, words) {
    this.#connection.dataset.tone = tone;
    if (this.#connection.textContent !== words) this.#connection.textContent = words;
  }
}
