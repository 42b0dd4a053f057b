/**
 * The browser's own speech, where it has it: words from the microphone, and answers read aloud.
 * Knows no document. Recognition runs on the device only where the browser says that it can; voices
 * that are not on the device are never used.
 */

/**
 * @typedef {object} Recognition the parts of SpeechRecognition used here, which browsers name and
 *   equip differently
 * @property {string} lang
 * @property {boolean} interimResults
 * @property {boolean} [processLocally]
 * @property {((event: SpeechRecognitionEvent) => void) | null} onresult
 * @property {((event: {error: string}) => void) | null} onerror
 * @property {(() => void) | null} onend
 * @property {() => void} start
 * @property {() => void} stop
 * @property {() => void} abort
 */

/** @typedef {{langs: string[], processLocally: boolean}} Wanted */

/**
 * @typedef {{new (): Recognition, available?: (wanted: Wanted) => Promise<string>}} Recognizer
 */

/**
 * @typedef {object} Heard
 * @property {(text: string) => void} onText what was understood so far
 * @property {(text: string) => void} onEnd it is over; with the final text, or "" if there is none
 * @property {(problem: string) => void} onProblem
 */

const LANGUAGE = "en-US";
const SILENCE = "Nothing was heard. Try again, or type.";
const SPOKEN_PROBLEM = "The answer could not be read aloud";

const PROBLEMS = /** @type {Record<string, string>} */ ({
  "not-allowed": "The microphone is not allowed here. Allow it in the browser's settings of this page.",
  "service-not-allowed": "This browser does not allow speech recognition here. Type instead.",
  "audio-capture": "No microphone could be used. Connect one, or type.",
  "no-speech": SILENCE,
  network: "The browser's speech recognition could not be reached. Type instead.",
  "language-not-supported": "This browser does not recognize English speech. Type instead.",
});

/** Listens, one utterance at a time. */
export class Listener {
  /** @param {Heard} heard */
  constructor(heard) {
    this.heard = heard;
    this.recognizer = findRecognizer();
    /** @type {Recognition | null} while listening */
    this.recognition = null;
    /** Whether sound stays on this device; false until the browser has said so. */
    this.local = false;
    /** Settled when `local` is known. */
    this.asked = this.#askLocal();
  }

  async #askLocal() {
    try {
      const wanted = { langs: [LANGUAGE], processLocally: true };
      this.local = (await this.recognizer?.available?.(wanted)) === "available";
    } catch {
      this.local = false;
    }
  }

  start() {
    if (!this.recognizer || this.recognition) return;
    const recognition = new this.recognizer();
    recognition.lang = LANGUAGE;
    recognition.interimResults = true;
    if (this.local) recognition.processLocally = true;
    this.recognition = recognition;
    this.#follow(recognition);
    try {
      recognition.start();
    } catch (error) {
      this.recognition = null;
      this.heard.onProblem(`Speech recognition did not start: ${String(error)}`);
      this.heard.onEnd("");
    }
  }

  /** @param {Recognition} recognition */
  #follow(recognition) {
    let final = "";
    let problem = "";
    recognition.onresult = ({ results }) => {
      const parts = Array.from(results);
      const text = parts.map((part) => part[0]?.transcript ?? "").join("");
      if (parts.every(({ isFinal }) => isFinal)) final = text.trim();
      this.heard.onText(text.trim());
    };
    recognition.onerror = ({ error }) => {
      problem = PROBLEMS[error] ?? `Speech recognition stopped: ${error}.`;
    };
    recognition.onend = () => {
      this.recognition = null;
      if (!final) this.heard.onProblem(problem || SILENCE);
      this.heard.onEnd(final);
    };
  }

  /** No more sound; what was said is still understood. */
  finish() {
    this.recognition?.stop();
  }

  /** Forget what was said; nothing more is told of it. */
  cancel() {
    const { recognition } = this;
    if (!recognition) return;
    this.recognition = null;
    recognition.onresult = recognition.onerror = recognition.onend = null;
    recognition.abort();
  }
}

/** @returns {Recognizer | undefined} */
function findRecognizer() {
  const { SpeechRecognition, webkitSpeechRecognition } =
    /** @type {{SpeechRecognition?: Recognizer, webkitSpeechRecognition?: Recognizer}} */ (
      /** @type {unknown} */ (window)
    );
  return SpeechRecognition ?? webkitSpeechRecognition;
}

/** Reads aloud, with voices of this device. */
export class Speaker {
  /**
   * @param {object} events
   * @param {() => void} events.onVoices the voices of the device are known, or have changed
   * @param {(problem: string) => void} events.onProblem
   */
  constructor({ onVoices, onProblem }) {
    this.onProblem = onProblem;
    this.synthesis = "speechSynthesis" in window ? window.speechSynthesis : null;
    this.synthesis?.addEventListener?.("voiceschanged", onVoices);
  }

  /** @returns {SpeechSynthesisVoice | undefined} */
  voice() {
    const own = (this.synthesis?.getVoices() ?? []).filter(
      ({ localService, lang }) => localService && /^en\b/i.test(lang),
    );
    return own.find((voice) => voice.default) ?? own[0];
  }

  /** @param {string} text */
  say(text) {
    const voice = this.voice();
    if (!this.synthesis || !voice) return;
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.voice = voice;
    utterance.lang = voice.lang;
    utterance.onerror = ({ error }) => {
      if (error !== "interrupted" && error !== "canceled")
        this.onProblem(`${SPOKEN_PROBLEM} (${error}).`);
    };
    this.synthesis.speak(utterance);
  }

  stop() {
    this.synthesis?.cancel();
  }
}
