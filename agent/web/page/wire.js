// Picture and sound over a socket, for machines where WebRTC finds no network: a laptop in flight mode, a tunnel.
// docs/protocol.md describes the messages.

const RATE = 48000;
const SAMPLES = 1920;
const AHEAD = 0.08;
const LATEST = 0.4;

export class Wire extends EventTarget {
  #address;
  #socket = null;
  #canvas = document.createElement("canvas");
  #picture = this.#canvas.getContext("2d");
  #context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  #sound = this.#context.createMediaStreamDestination();
  #due = 0;
  #microphone = null;

  constructor(address) {
    super();
    this.#address = address;
  }

  async start() {
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#show(data);
    socket.onclose = () => this.#tell("failed");
    const stream = new MediaStream([...this.#canvas.captureStream(25).getTracks(), ...this.#sound.stream.getTracks()]);
    socket.onopen = () => {
      this.#tell("connected");
      this.dispatchEvent(new CustomEvent("stream", { detail: stream }));
    };
    return true;
  }

  async accept() {}

  async speak(track) {
    this.#microphone?.disconnect();
    this.#microphone = null;
    if (!track) return;
    await this.#context.audioWorklet.addModule("/page/microphone.js");
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    const taker = new AudioWorkletNode(this.#context, "microphone", { numberOfOutputs: 0 });
    taker.port.onmessage = ({ data }) => {
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(data);
    };
    source.connect(taker);
    this.#microphone = source;
  }

  /** Lets sound out; browsers ask for a click before. */
  async hear() {
    await this.#context.resume();
  }

  close() {
    if (this.#socket) this.#socket.onclose = null;
    this.#socket?.close();
    this.#context.close().catch(() => {});
  }

  async #show(data) {
    const moment = this.#play(new Int16Array(data, 4, SAMPLES));
    const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4 + 2 * SAMPLES)], { type: "image/jpeg" }));
    setTimeout(() => this.#draw(picture), 1000 * Math.max(0, moment - this.#context.currentTime));
  }

  /** Has a frame's sound played after that of the frame before; returns when it is heard, by the sound's clock. */
  #play(pcm) {
    if (this.#context.state !== "running") return 0;
    const now = this.#context.currentTime;
    if (this.#due < now || this.#due > now + LATEST) this.#due = now + AHEAD;
    const buffer = this.#context.createBuffer(1, SAMPLES, RATE);
    buffer.copyToChannel(Float32Array.from(pcm, (value) => value / 32768), 0);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#sound);
    source.start(this.#due);
    this.#due += SAMPLES / RATE;
    return this.#due - SAMPLES / RATE + (this.#context.outputLatency || 0);
  }

  #draw(picture) {
    if (this.#canvas.width !== picture.width) {
      this.#canvas.width = picture.width;
      this.#canvas.height = picture.height;
    }
    this.#picture.drawImage(picture, 0, 0);
    picture.close();
  }

  #tell(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
