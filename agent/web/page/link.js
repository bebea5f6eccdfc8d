// The socket to the server: messages as in docs/protocol.md, kept open as long as the page wants it.

const FIRST_DELAY = 400;
const LONGEST_DELAY = 5000;
const PROBE_EVERY = 4000;
const PROBE_LIMIT = 4000;
const KEY = "visavis.session";

export class Link extends EventTarget {
  #socket = null;
  #delay = FIRST_DELAY;
  #timer = 0;
  #wanted = false;

  constructor() {
    super();
    setInterval(() => this.probe(), PROBE_EVERY);
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get origin() {
    return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
  }

  get session() {
    return sessionStorage.getItem(KEY);
  }

  start() {
    this.#wanted = true;
    clearTimeout(this.#timer);
    const resume = this.session ? `?resume=${encodeURIComponent(this.session)}` : "";
    const socket = new WebSocket(`${this.origin}/api/session${resume}`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#lost(code);
    };
  }

  /** Gives up until `start` is called again. */
  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  send(message) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** A network that drops closes no socket: whether the server is still there has to be asked. */
  async probe() {
    const socket = this.#socket;
    if (!this.open) return;
    try {
      await fetch("/api/status", { cache: "no-store", signal: AbortSignal.timeout(PROBE_LIMIT) });
    } catch {
      if (socket !== this.#socket || !this.open) return;
      socket.onmessage = socket.onclose = null;
      socket.close();
      this.#socket = null;
      this.#lost(0);
    }
  }

  #take(message) {
    if (message.type === "welcome") {
      sessionStorage.setItem(KEY, message.session);
      this.#delay = FIRST_DELAY;
    }
    if (message.type === "ended") this.#wanted = message.reason === "the server stops";
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  #lost(code) {
    this.dispatchEvent(new CustomEvent("lost", { detail: { code, again: this.#wanted } }));
    if (!this.#wanted) return;
    this.#timer = setTimeout(() => this.start(), this.#delay);
    this.#delay = Math.min(LONGEST_DELAY, this.#delay * 1.7);
  }
}
