// The page: what the buttons do, and what the person is told.

import { Lines } from "./lines.js";
import { Link } from "./link.js";
import { Media } from "./media.js";
import { Settings } from "./settings.js";

const byId = (id) => document.getElementById(id);
const STATES = { idle: "Ready", listening: "Listening", thinking: "Thinking", speaking: "Speaking", lost: "Reconnecting" };

const link = new Link();
const media = new Media(byId("video"), link);
const lines = new Lines();
const settings = new Settings(link);

let ready = false;
let talking = false;
let muted = false;
let known = true;
let state = "";

/* What the server tells */

link.addEventListener("welcome", async ({ detail }) => {
  settle("link");
  lines.clear();
  known = !detail.resumed && !talking;
  if (!detail.resumed || !media.live) await media.connect();
});
link.addEventListener("answer", ({ detail }) => media.accept(detail.sdp));
link.addEventListener("state", ({ detail }) => showState(detail.state));
link.addEventListener("caption", ({ detail }) => lines.show(detail));
link.addEventListener("loading", ({ detail }) => showLoading(detail));
link.addEventListener("latency", ({ detail }) => showLatency(detail));
link.addEventListener("notice", ({ detail }) => tell(detail.code, detail.message, detail.hint));
link.addEventListener("error", ({ detail }) => {
  if (detail.code === "busy") {
    link.stop();
    showState("lost", "Busy");
    byId("loading").hidden = true;
    tell("link", "Somebody else is talking to the avatar.", detail.hint, "Try again", () => link.start());
  } else {
    tell(detail.code, detail.message, detail.hint);
  }
});
link.addEventListener("ended", ({ detail }) => {
  if (detail.reason === "the server stops") return;
  showState("lost", "Ended");
  tell("link", "This conversation goes on in another page.", "", "Bring it here", () => link.start());
});
link.addEventListener("lost", ({ detail }) => {
  media.lose();
  if (!detail.again) return;
  showState("lost");
  tell("link", "The server does not answer.", "The page connects again by itself.");
});

/* Picture and sound */

media.addEventListener("connection", ({ detail }) => {
  const lost = detail === "failed" || detail === "disconnected";
  byId("stage").classList.toggle("away", lost);
  if (lost) tell("picture", "The picture got lost.", "The page connects again by itself.");
  if (detail === "connected") settle("picture");
});
media.addEventListener("unplugged", () => {
  tell("microphone", "The microphone is gone.", "Connect one, or write instead.");
  stopTalking({ wait: true });
});
byId("video").addEventListener("playing", () => byId("stage").classList.add("live"));
byId("video").addEventListener("volumechange", () => { lines.spoken = !byId("video").muted && byId("video").volume > 0; });

/* Talking */

let waiting = false;

async function startTalking() {
  await hear();
  if (!navigator.mediaDevices) {
    return tell("microphone", "The browser gives no microphone to this address.", "Open the page as localhost or over https, or write instead.");
  }
  byId("start").disabled = true;
  try {
    await openMicrophone();
  } catch (error) {
    waiting = true;
    return tell("microphone", ...microphoneFault(error));
  } finally {
    byId("start").disabled = !ready;
  }
  settle("microphone");
  waiting = false;
  talking = true;
  setMuted(false);
  settings.listDevices();
  showTalking();
}

/** Opens the chosen microphone, or the standard one if that is not there today. */
async function openMicrophone() {
  try {
    await media.openMicrophone(settings.values.microphone);
  } catch (error) {
    if (error.name !== "OverconstrainedError") throw error;
    await media.openMicrophone("");
    tell("device", "Your microphone is not connected.", "The standard one is used; the settings have others.", "", null, false);
  }
}

function stopTalking({ wait = false } = {}) {
  waiting = wait;
  talking = false;
  media.closeMicrophone();
  link.send({ type: "microphone", live: false });
  if (!wait) link.send({ type: "interrupt" });
  showTalking();
}

function microphoneFault({ name, message }) {
  if (name === "NotAllowedError") return ["The microphone is not allowed.", "Allow it beside the address, or write instead."];
  if (name === "NotFoundError") return ["There is no microphone.", "Connect one, or write instead."];
  if (name === "NotReadableError") return ["Another program holds the microphone.", "Close it there, or write instead."];
  return ["The microphone can't be opened.", message];
}

function setMuted(value) {
  muted = value;
  media.mute(muted);
  link.send({ type: "microphone", live: !muted });
  const button = byId("mute");
  button.setAttribute("aria-pressed", String(muted));
  button.querySelector("use").setAttribute("href", muted ? "#icon-mic-off" : "#icon-mic");
}

async function hear() {
  await media.unmuteSound();
  applySound();
}

function applySound() {
  const video = byId("video");
  video.volume = settings.values.volume;
  if ("setSinkId" in video && video.sinkId !== settings.values.speaker) video.setSinkId(settings.values.speaker).catch(() => settings.set("speaker", ""));
}

// A microphone that was refused or missing is tried again when that changes.
navigator.mediaDevices?.addEventListener("devicechange", () => {
  settings.listDevices();
  if (waiting) startTalking();
});
navigator.permissions?.query({ name: "microphone" }).then((permission) => {
  permission.onchange = () => {
    if (waiting && permission.state === "granted") startTalking();
  };
}).catch(() => {});

// A page that was asleep (another tab, a locked phone) comes back as it was, and a screen stays on during a call.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  link.probe();
  media.wake();
  keepScreenOn();
});

let screenLock = null;

async function keepScreenOn() {
  await screenLock?.release();
  screenLock = talking ? await navigator.wakeLock?.request("screen").catch(() => null) : null;
}

/** Begins by itself where the address asks for it, `/?talk`: for screens that nobody stands behind. */
function startUnasked() {
  if (talking || waiting || !new URLSearchParams(location.search).has("talk")) return;
  startTalking();
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, hear, { once: true });
}

/* What the person does */

byId("start").onclick = () => (talking ? stopTalking() : startTalking());
byId("mute").onclick = () => setMuted(!muted);
byId("interrupt").onclick = () => link.send({ type: "interrupt" });
byId("captions").onclick = () => settings.set("captions", !settings.values.captions);
byId("full").onclick = () => (document.fullscreenElement ? document.exitFullscreen() : byId("stage").requestFullscreen());
if (!document.fullscreenEnabled) byId("full").hidden = true;
document.addEventListener("fullscreenchange", () => byId("full").setAttribute("aria-pressed", String(Boolean(document.fullscreenElement))));

byId("text").oninput = showSend;
byId("write").onsubmit = async (event) => {
  event.preventDefault();
  const text = byId("text").value.trim();
  if (!text || !link.send({ type: "ask", text })) return;
  byId("text").value = "";
  showSend();
  await hear();
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("settings").open) return;
  if (event.key === "Escape" && state === "speaking") return link.send({ type: "interrupt" });
  if (event.target.closest("input, select, textarea")) return;
  const button = { m: "mute", c: "captions", f: "full" }[event.key.toLowerCase()];
  if (button && !byId(button).hidden) byId(button).click();
});

settings.addEventListener("change", ({ detail }) => {
  showCaptions();
  if (detail === "volume" || detail === "speaker") applySound();
  if (detail === "microphone" && talking) startTalking();
});
settings.addEventListener("portrait", ({ detail: { stage, done, option, fault } }) => {
  if (fault) tell("portrait", "The photo can't be used.", fault);
  else if (option?.note) tell("portrait", option.note, "", "", null, false);
  else if (option) settle("portrait");
  else tell("portrait", "Making an avatar of the photo.", `${stage}, ${Math.round(done * 100)} %`, "", null, false);
});

/* What the person sees */

settings.addEventListener("avatar", ({ detail }) => { byId("disclosure").textContent = detail?.disclosure ?? ""; });

function showState(name, text = STATES[name]) {
  state = name;
  byId("state").dataset.state = name;
  byId("state-text").textContent = name === "idle" && !ready ? "Starting" : text;
  byId("interrupt").disabled = name !== "speaking" && name !== "thinking";
}

function showLoading({ ready: isReady, stages }) {
  ready = isReady;
  if (ready && !known) {
    // The server may be another one, or this page a reloaded one.
    known = true;
    link.send({ type: "microphone", live: talking && !muted });
  }
  byId("start").disabled = !ready;
  if (ready) startUnasked();
  showSend();
  byId("loading").hidden = ready;
  if (state) showState(state);
  byId("loading-stages").replaceChildren(...stages.map(({ name, state: progress, detail }) => {
    const item = document.createElement("li");
    item.dataset.state = progress;
    item.textContent = capital(detail ? `${name}: ${detail}` : name);
    return item;
  }));
}

function showLatency({ total, stages }) {
  byId("latency").hidden = false;
  byId("latency-total").textContent = `${total.toFixed(2)} s`;
  const longest = Math.max(total, ...Object.values(stages));
  byId("latency-stages").replaceChildren(...Object.entries(stages).flatMap(([name, seconds]) => {
    const [term, description, bar, number] = ["dt", "dd", "span", "span"].map((tag) => document.createElement(tag));
    term.textContent = name;
    bar.className = "bar";
    bar.style.width = `${(100 * seconds) / longest}%`;
    number.className = "seconds";
    number.textContent = `${seconds.toFixed(2)} s`;
    description.append(bar, number);
    return [term, description];
  }));
}

function showTalking() {
  byId("start").classList.toggle("stop", talking);
  byId("start").querySelector("span").textContent = talking ? "Stop" : "Start talking";
  byId("start").querySelector("use").setAttribute("href", talking ? "#icon-stop" : "#icon-mic");
  byId("mute").hidden = !talking;
  keepScreenOn();
}

function showCaptions() {
  lines.display(settings.values.captions);
  byId("captions").setAttribute("aria-pressed", String(settings.values.captions));
}

function showSend() {
  byId("send").disabled = !ready || !byId("text").value.trim();
}

let noticeTopic = "";
let noticeTimer = 0;

/** Shows a notice until its topic is settled, or for a while if nothing can settle it. */
function tell(topic, title, hint = "", action = "", onAction = null, bad = true) {
  noticeTopic = topic;
  byId("notice").classList.toggle("bad", bad);
  byId("notice-title").textContent = sentence(title);
  byId("notice-hint").textContent = sentence(hint);
  byId("notice-action").hidden = !action;
  byId("notice-action").textContent = action;
  byId("notice-action").onclick = () => {
    settle(topic);
    onAction();
  };
  byId("notice").hidden = false;
  clearTimeout(noticeTimer);
  if (!["link", "picture", "microphone"].includes(topic)) noticeTimer = setTimeout(() => settle(topic), 12000);
}

function sentence(text) {
  if (!text) return "";
  return capital(text) + (/[.!?…%]$/u.test(text) ? "" : ".");
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function settle(topic) {
  if (topic === noticeTopic) byId("notice").hidden = true;
}

showCaptions();
showTalking();
link.start();
