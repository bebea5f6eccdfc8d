// Runs in the audio thread: 20 ms of microphone at a time, as 16-bit samples.

const SAMPLES = 960;

registerProcessor("microphone", class extends AudioWorkletProcessor {
  #block = new Int16Array(SAMPLES);
  #filled = 0;

  process([input]) {
    for (const value of input[0] ?? []) {
      this.#block[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(value * 32767)));
      if (this.#filled === SAMPLES) {
        this.port.postMessage(this.#block.slice().buffer);
        this.#filled = 0;
      }
    }
    return true;
  }
});
