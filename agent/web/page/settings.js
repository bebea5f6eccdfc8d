// The settings panel: what the conversation talks with, devices, captions, and photos for new avatars.

const MAX_PHOTO = 15 * 1024 * 1024;
const TYPES = ["image/jpeg", "image/png", "image/webp"];
const STORED = "visavis.settings";
const EMOTION = "visavis.emotion";

const byId = (id) => document.getElementById(id);

export class Settings extends EventTarget {
  #link;
  #values = { microphone: "", speaker: "", volume: 1, captions: true, size: "1", ...stored() };
  #uploading = false;

  constructor(link) {
    super();
    this.#link = link;
    byId("settings-open").onclick = () => {
      this.listDevices();
      byId("settings").showModal();
    };
    byId("settings").onclick = (event) => {
      if (event.target === event.currentTarget) event.currentTarget.close();
    };
    byId("voice").onchange = ({ target }) => link.send({ type: "choose", voice: target.value });
    byId("persona").onchange = ({ target }) => link.send({ type: "choose", persona: target.value });
    byId("emotion").onchange = ({ target: { value } }) => {
      sessionStorage.setItem(EMOTION, value);
      link.send({ type: "emotion", emotion: value, intensity: value === "neutral" ? 0 : 0.8 });
    };
    this.#bind("microphone", "microphone", "change");
    this.#bind("speaker", "speaker", "change");
    this.#bind("volume", "volume", "input");
    this.#bind("captions-on", "captions", "change");
    this.#bind("captions-size", "size", "change");
    if (!("setSinkId" in HTMLMediaElement.prototype)) byId("speaker-row").hidden = true;
    byId("upload").onchange = ({ target }) => {
      if (target.files[0]) this.upload(target.files[0]);
      target.value = "";
    };
    this.#acceptDrops();
    link.addEventListener("welcome", ({ detail: { resumed } }) => {
      if (!resumed) sessionStorage.removeItem(EMOTION);
      byId("emotion").value = sessionStorage.getItem(EMOTION) ?? "neutral";
    });
    link.addEventListener("options", ({ detail }) => this.#offer(detail));
    link.addEventListener("progress", ({ detail }) => this.#progress(detail.stage, 0.3 + 0.7 * detail.done));
    this.#apply();
  }

  get values() {
    return this.#values;
  }

  set(name, value) {
    this.#values[name] = value;
    localStorage.setItem(STORED, JSON.stringify(this.#values));
    this.#apply();
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }

  async listDevices() {
    if (!navigator.mediaDevices) return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    fill(byId("microphone"), devices, "audioinput", this.#values.microphone);
    fill(byId("speaker"), devices, "audiooutput", this.#values.speaker);
  }

  /** Sends a photo; its avatar is chosen when it is ready. */
  async upload(file) {
    const fault = byId("upload-fault");
    fault.hidden = true;
    const problem = this.#uploading ? "One photo at a time, please." : unusable(file);
    if (problem) return this.#fail(problem);
    this.#uploading = true;
    this.#progress("Sending the photo", 0);
    byId("upload-status").hidden = false;
    try {
      const option = await post(file, this.#link.session, (done) => this.#progress("Sending the photo", 0.3 * done));
      this.#link.send({ type: "choose", avatar: option.id });
      this.dispatchEvent(new CustomEvent("portrait", { detail: { option } }));
    } catch (error) {
      this.#fail(error.message);
    } finally {
      this.#uploading = false;
      byId("upload-status").hidden = true;
    }
  }

  #fail(text) {
    byId("upload-fault").textContent = text;
    byId("upload-fault").hidden = false;
    if (!byId("settings").open) this.dispatchEvent(new CustomEvent("portrait", { detail: { fault: text } }));
  }

  #progress(stage, done) {
    byId("upload-stage").textContent = stage;
    byId("upload-progress").value = done;
    if (this.#uploading) this.dispatchEvent(new CustomEvent("portrait", { detail: { stage, done } }));
  }

  #bind(id, name, event) {
    const input = byId(id);
    input.addEventListener(event, () => this.set(name, input.type === "checkbox" ? input.checked : input.type === "range" ? Number(input.value) : input.value));
  }

  #apply() {
    const { volume, captions, size } = this.#values;
    byId("volume").value = volume;
    byId("captions-on").checked = captions;
    byId("captions-size").value = size;
    document.documentElement.style.setProperty("--caption-size", size);
  }

  #offer({ avatars, voices, personas, chosen, changing }) {
    byId("changing").textContent = changing ? "Getting ready …" : "";
    const focused = document.activeElement.dataset.avatar;
    const cards = avatars.map((avatar) => this.#card(avatar, avatar.id === chosen.avatar));
    byId("avatars").replaceChildren(...cards);
    cards.find(({ dataset }) => dataset.avatar === focused)?.focus();
    choices(byId("voice"), voices, chosen.voice);
    choices(byId("persona"), personas, chosen.persona);
    const avatar = avatars.find(({ id }) => id === chosen.avatar);
    byId("stage").style.backgroundImage = avatar?.picture ? `url("${avatar.picture}")` : "";
    this.dispatchEvent(new CustomEvent("avatar", { detail: avatar }));
  }

  #card(avatar, checked) {
    const card = document.createElement("button");
    card.type = "button";
    card.dataset.avatar = avatar.id;
    card.setAttribute("role", "radio");
    card.setAttribute("aria-checked", String(checked));
    const face = document.createElement(avatar.picture ? "img" : "div");
    if (avatar.picture) Object.assign(face, { src: avatar.picture, alt: "" });
    else face.className = "blank";
    const label = document.createElement("span");
    label.textContent = avatar.label;
    card.append(face, label);
    card.onclick = () => this.#link.send({ type: "choose", avatar: avatar.id });
    return card;
  }

  #acceptDrops() {
    const drop = byId("drop");
    const label = byId("upload-label");
    let depth = 0;
    const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const show = (shown) => {
      drop.hidden = !shown;
      label.classList.toggle("over", shown);
    };
    addEventListener("dragenter", (event) => {
      if (carriesFile(event)) show(++depth > 0);
    });
    addEventListener("dragleave", (event) => {
      if (carriesFile(event)) show(--depth > 0);
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      show(false);
      if (event.dataTransfer.files[0]) this.upload(event.dataTransfer.files[0]);
    });
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}

function unusable(file) {
  if (!TYPES.includes(file.type)) return "That is not a JPEG, PNG or WebP picture.";
  if (file.size > MAX_PHOTO) return "That photo is larger than 15 MB.";
  return "";
}

function post(file, session, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const label = file.name.replace(/\.[^.]*$/, "").slice(0, 60);
    request.open("POST", `/api/portraits?${new URLSearchParams({ session: session ?? "", label })}`);
    request.setRequestHeader("Content-Type", file.type);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onSent(total ? loaded / total : 0);
    request.onerror = () => reject(new Error("The photo could not be sent: the server did not answer."));
    request.onload = () => {
      const { response, status } = request;
      if (status === 200) resolve(response);
      else reject(new Error([response?.message ?? `The server answered ${status}.`, response?.hint].filter(Boolean).join(" — ")));
    };
    request.send(file);
  });
}

function choices(select, options, chosen) {
  select.replaceChildren(...options.map(({ id, label }) => new Option(label, id, false, id === chosen)));
  select.disabled = options.length < 2;
}

function fill(select, devices, kind, chosen) {
  const of_kind = devices.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default");
  const options = of_kind.map((device, index) => new Option(device.label || `Device ${index + 1}`, device.deviceId));
  select.replaceChildren(new Option("Standard", ""), ...options);
  select.value = options.some(({ value }) => value === chosen) ? chosen : "";
}
