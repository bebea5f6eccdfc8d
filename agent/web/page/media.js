// Picture and sound: one WebRTC connection, made before anybody allows the microphone.

const GATHERING_LIMIT = 1500;
const LOST_LIMIT = 4000;

export class Media extends EventTarget {
  #video;
  #send;
  #connection = null;
  #sender = null;
  #microphone = null;
  #timer = 0;

  constructor(video, send) {
    super();
    this.#video = video;
    this.#send = send;
  }

  get live() {
    return this.#connection?.connectionState === "connected";
  }

  get listening() {
    return this.#microphone !== null;
  }

  /** Makes a new connection in the place of any that there is. */
  async connect() {
    this.#connection?.close();
    const connection = new RTCPeerConnection({ iceServers: [] });
    this.#connection = connection;
    connection.ontrack = ({ streams }) => {
      if (this.#video.srcObject !== streams[0]) this.#video.srcObject = streams[0];
      this.#video.play().catch(() => {});
    };
    connection.onconnectionstatechange = () => {
      if (connection === this.#connection) this.#changed(connection.connectionState);
    };
    this.#sender = connection.addTransceiver("audio", { direction: "sendrecv" }).sender;
    connection.addTransceiver("video", { direction: "recvonly" });
    if (this.#microphone) await this.#sender.replaceTrack(this.#microphone);
    await connection.setLocalDescription(await connection.createOffer());
    await gathered(connection);
    if (connection === this.#connection) this.#send({ type: "offer", sdp: connection.localDescription.sdp });
  }

  async accept(sdp) {
    if (this.#connection?.signalingState === "have-local-offer") {
      await this.#connection.setRemoteDescription({ type: "answer", sdp });
    }
  }

  /** Opens the microphone; throws what the browser throws. */
  async openMicrophone(deviceId) {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    if (deviceId) audio.deviceId = { exact: deviceId };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    this.closeMicrophone();
    const track = stream.getAudioTracks()[0];
    this.#microphone = track;
    track.onended = () => {
      if (track !== this.#microphone) return;
      this.closeMicrophone();
      this.dispatchEvent(new Event("unplugged"));
    };
    await this.#sender?.replaceTrack(track);
  }

  closeMicrophone() {
    this.#microphone?.stop();
    this.#microphone = null;
    this.#sender?.replaceTrack(null).catch(() => {});
  }

  mute(muted) {
    if (this.#microphone) this.#microphone.enabled = !muted;
  }

  /** Lets the avatar be heard; browsers ask for a click before. */
  async unmuteSound() {
    this.#video.muted = false;
    await this.#video.play().catch(() => {
      this.#video.muted = true;
    });
  }

  #changed(state) {
    clearTimeout(this.#timer);
    this.dispatchEvent(new CustomEvent("connection", { detail: state }));
    if (state === "failed") this.connect();
    if (state === "disconnected") this.#timer = setTimeout(() => this.connect(), LOST_LIMIT);
  }
}

function gathered(connection) {
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
