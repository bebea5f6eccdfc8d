// What was said: the list beside the picture, and the words on it.

const SUBTITLE_SECONDS = 5;

export class Lines {
  #list = document.getElementById("lines");
  #empty = document.getElementById("empty");
  #box = this.#list.parentElement;
  #subtitle = document.getElementById("subtitle");
  #announce = document.getElementById("announce");
  #items = new Map();
  #timer = 0;
  #following = true;
  shown = true;
  spoken = false;

  constructor() {
    const box = this.#box;
    box.addEventListener("scroll", () => { this.#following = box.scrollHeight - box.scrollTop - box.clientHeight < 60; });
    new ResizeObserver(() => this.#follow()).observe(box);
  }

  show({ speaker, utterance, text, final }) {
    let item = this.#items.get(utterance);
    if (!text) {
      item?.remove();
      this.#items.delete(utterance);
      return;
    }
    if (!item) {
      item = document.createElement("li");
      item.className = speaker;
      const who = document.createElement("span");
      who.className = "hidden";
      who.textContent = speaker === "user" ? "You: " : "Avatar: ";
      item.append(who, document.createElement("span"));
      this.#items.set(utterance, item);
      this.#list.append(item);
      this.#empty.hidden = true;
    }
    item.classList.toggle("partial", !final);
    item.lastChild.textContent = text;
    this.#follow();
    this.#onPicture(speaker, text, final);
    // A screen reader reads what is not heard already.
    if (final && !(this.spoken && speaker === "avatar")) this.#announce.textContent = item.textContent;
  }

  clear() {
    this.#items.clear();
    this.#list.replaceChildren();
    this.#empty.hidden = false;
    this.#subtitle.hidden = true;
  }

  display(shown) {
    this.shown = shown;
    if (!shown) this.#subtitle.hidden = true;
  }

  /** Keeps the last line in sight, unless the person has scrolled up to read. */
  #follow() {
    if (this.#following) this.#box.scrollTop = this.#box.scrollHeight;
  }

  #onPicture(speaker, text, final) {
    clearTimeout(this.#timer);
    this.#subtitle.hidden = !this.shown;
    this.#subtitle.className = `subtitle ${speaker}`;
    this.#subtitle.textContent = lastWords(text);
    if (final) this.#timer = setTimeout(() => { this.#subtitle.hidden = true; }, SUBTITLE_SECONDS * 1000);
  }
}

/** Two lines' worth of words, from the start of a sentence where that fits. */
function lastWords(text, longest = 110) {
  if (text.length <= longest) return text;
  const sentence = text.slice(-longest).search(/(?<=[.!?…]\s)\S/u);
  if (sentence > 0) return text.slice(sentence - longest);
  return "… " + text.slice(-longest).replace(/^\S*\s/u, "");
}
