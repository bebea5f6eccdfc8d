// Picture, sound and microphone, over WebRTC where that finds a way and over a socket where it does not.

import { Rtc } from "./rtc.js";
import { Wire } from "./wire.js";

const LOST_LIMIT = 4000;
const CONNECT_LIMIT = 6000;
const RETRY_DELAY = 1000;

export class Media extends EventTarget {
  #video;
  #link;
  #transport = null;
  #wired = !globalThis.RTCPeerConnection;
  #microphone = null;
  #heard = false;
  #timer = 0;
  live = false;

  constructor(video, link) {
    super();
    this.#video = video;
    this.#link = link;
  }

  get listening() {
    return this.#microphone !== null;
  }

  /** Makes a new connection in the place of any that there is. */
  async connect() {
    clearTimeout(this.#timer);
    this.#transport?.close();
    this.live = false;
    const transport = this.#wired ? new Wire(this.#address()) : new Rtc((message) => this.#link.send(message));
    this.#transport = transport;
    transport.addEventListener("stream", ({ detail }) => this.#show(transport, detail));
    transport.addEventListener("state", ({ detail }) => this.#changed(transport, detail));
    const possible = await transport.start();
    if (transport !== this.#transport) return;
    if (!possible) return this.#wire();
    if (this.#microphone) await transport.speak(this.#microphone);
    if (this.#heard) await transport.hear();
  }

  /** Takes the server's answer; where the two don't find each other then, they meet over a socket. */
  async accept(sdp) {
    const transport = this.#transport;
    await transport?.accept(sdp);
    if (this.#wired || this.live || transport !== this.#transport) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wire(), CONNECT_LIMIT);
  }

  /** The server can't be reached: a socket of ours may not have noticed. */
  lose() {
    if (this.#wired) this.live = false;
  }

  /** Opens the microphone; throws what the browser throws. */
  async openMicrophone(deviceId) {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    if (deviceId) audio.deviceId = { exact: deviceId };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    this.#microphone?.stop();
    const track = stream.getAudioTracks()[0];
    this.#microphone = track;
    track.onended = () => {
      if (track !== this.#microphone) return;
      this.closeMicrophone();
      this.dispatchEvent(new Event("unplugged"));
    };
    await this.#transport?.speak(track);
  }

  closeMicrophone() {
    this.#microphone?.stop();
    this.#microphone = null;
    this.#transport?.speak(null).catch(() => {});
  }

  mute(muted) {
    if (this.#microphone) this.#microphone.enabled = !muted;
  }

  /** Lets the avatar be heard; browsers ask for a click before. */
  async unmuteSound() {
    this.#heard = true;
    this.#video.muted = false;
    await this.#transport?.hear();
    await this.#video.play().catch(() => {
      this.#video.muted = true;
    });
  }

  /** Goes on after the browser has put the page to sleep. */
  async wake() {
    if (this.#heard) await this.#transport?.hear();
    if (this.#video.srcObject) await this.#video.play().catch(() => {});
  }

  #address() {
    return `${this.#link.origin}/api/sessions/${this.#link.session}/media`;
  }

  #wire() {
    this.#wired = true;
    return this.connect();
  }

  #show(transport, stream) {
    if (transport !== this.#transport) return;
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    this.#video.play().catch(() => {});
  }

  #changed(transport, state) {
    if (transport !== this.#transport) return;
    clearTimeout(this.#timer);
    this.live = state === "connected";
    this.dispatchEvent(new CustomEvent("connection", { detail: state }));
    if (state === "failed") this.#timer = setTimeout(() => this.#link.open && this.connect(), RETRY_DELAY);
    if (state === "disconnected") this.#timer = setTimeout(() => this.#link.open && this.connect(), LOST_LIMIT);
  }
}
