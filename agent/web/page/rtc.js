// Picture and sound over WebRTC.

const GATHERING_LIMIT = 1500;

export class Rtc extends EventTarget {
  #connection = new RTCPeerConnection({ iceServers: [] });
  #sender;
  #send;

  constructor(send) {
    super();
    this.#send = send;
    this.#connection.ontrack = ({ streams }) => this.dispatchEvent(new CustomEvent("stream", { detail: streams[0] }));
    this.#connection.onconnectionstatechange = () =>
      this.dispatchEvent(new CustomEvent("state", { detail: this.#connection.connectionState }));
    this.#sender = this.#connection.addTransceiver("audio", { direction: "sendrecv" }).sender;
    this.#connection.addTransceiver("video", { direction: "recvonly" });
  }

  /** Sends an offer; returns whether there is a network that it could come over. */
  async start() {
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    await this.#gathered();
    const { sdp } = this.#connection.localDescription;
    if (!sdp.includes("a=candidate:")) return false;
    if (this.#connection.signalingState === "have-local-offer") this.#send({ type: "offer", sdp });
    return true;
  }

  async accept(sdp) {
    if (this.#connection.signalingState === "have-local-offer") {
      await this.#connection.setRemoteDescription({ type: "answer", sdp });
    }
  }

  async speak(track) {
    await this.#sender.replaceTrack(track);
  }

  async hear() {}

  close() {
    this.#connection.close();
  }

  #gathered() {
    const connection = this.#connection;
    if (connection.iceGatheringState === "complete") return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHERING_LIMIT);
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
