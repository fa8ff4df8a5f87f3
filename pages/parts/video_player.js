/* A video player with a timeline: the cursor follows the video, and clicks and keys in the chart control it. Times are
 * in seconds of the video; the played file may start later. Without a file, the timeline works alone. */

const STEP = 1, FRAME = 1 / 25, LEAP = 10, REPORT_MS = 300, MOST_SAID = 3;
const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200], MOST_TICKS = 6;
const DASHES = ["none", "7 4", "2 3", "9 3 2 3"];
const SVG = "http://www.w3.org/2000/svg";

export const clock = (seconds) => {
  const whole = Math.floor(Math.max(seconds, 0) + 1e-6), rest = `${Math.floor(whole / 60) % 60}`, last = `${whole % 60}`.padStart(2, "0");
  return whole < 3600 ? `${rest}:${last}` : `${Math.floor(whole / 3600)}:${rest.padStart(2, "0")}:${last}`;
};

const make = (tag, className, parent, properties = {}) =>
  parent.appendChild(Object.assign(document.createElement(tag), { className, ...properties }));

const draw = (tag, parent, attributes) => {
  const element = parent.appendChild(document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

/** The style of a person's line: expressions have colors, people have grays and dashes. */
const strokeOf = (index) => {
  const share = [100, 62][index % 2];
  return {
    stroke: `color-mix(in srgb, var(--st-text-color) ${share}%, var(--st-background-color))`,
    "stroke-dasharray": DASHES[Math.floor(index / 2) % DASHES.length],
  };
};

/** The index of the last of these ascending numbers that is at most `value`; -1 if there is none. */
export const placeOf = (numbers, value) => {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

/** A probability as the other pages write it: no reading is certain, so what rounds to 100 is ">99 %". */
const inPercent = (percent) => percent >= 99.5 ? ">99 %" : `${Math.round(percent)} %`;

/** A person's reading at a time: the shown label, and all probabilities in percent; null if out of view. Only some rows
 * of a long video are sent: if the nearest one before has another label, the confidence of this one is unknown. */
export const shownAt = (person, seconds) => {
  const span = person.spans.find(([start, end]) => start <= seconds + 1e-6 && seconds < end);
  const line = person.lines.find(({ seconds: times, ends }) => times[0] <= seconds + 1e-6 && seconds < ends);
  if (!span || !line) return null;
  const at = Math.max(placeOf(line.seconds, seconds + 1e-6), 0), percents = line.percents[at];
  return { label: span[2], percents, sure: line.held[at] === span[2] ? ` ${inPercent(percents[span[2]])}` : "" };
};

/** A person's correction at a time in words, given the shown label; "" if there is none. */
const saidAt = (person, seconds, label) => {
  const said = person.corrected.find(([start, end]) => start <= seconds + 1e-6 && seconds < end)?.[2];
  return said === undefined ? "" : said === label ? ", confirmed" : `, corrected to ${said}`;
};

class Player {
  constructor(root) {
    this.root = root;
    for (const name of ["top", "stage", "lost", "now", "chapters", "mark", "chart", "lanes", "seek", "flags", "cursor", "tip", "legend"])
      this[name] = root.querySelector(`.${name}`);
    this.video = root.querySelector("video");
    this.time = 0;
    this.person = 0;
    for (const event of ["timeupdate", "seeking", "loadedmetadata"]) this.video.addEventListener(event, () => this.follow());
    for (const event of ["pause", "seeked"]) this.video.addEventListener(event, () => this.report());
    this.video.addEventListener("play", () => this.run());
    this.video.addEventListener("loadedmetadata", () => this.seekVideo());
    this.video.addEventListener("error", () => this.lose());
    this.seek.addEventListener("pointerdown", (event) => this.press(event));
    this.seek.addEventListener("pointermove", (event) => this.hover(event));
    this.seek.addEventListener("pointerleave", () => (this.tip.hidden = true));
    this.seek.addEventListener("keydown", (event) => this.key(event));
    this.mark.addEventListener("submit", (event) => this.note(event));
  }

  show(data, tell) {
    this.tell = tell;
    const before = this.data;
    this.data = data;
    if (before?.id !== data.id) [this.time, this.person] = [data.moment, 0];
    if (before?.url !== data.url) {
      this.plays = Boolean(data.url);
      if (data.url) this.video.src = data.url;
      else this.video.removeAttribute("src");
      this.lost.hidden = true;
    }
    if (data.alt) this.video.setAttribute("aria-label", data.alt);
    if (JSON.stringify({ ...before, moment: 0 }) !== JSON.stringify({ ...data, moment: 0 })) this.build();
    this.place();
  }

  /** Show only the timeline if the browser cannot play the video. */
  lose() {
    if (!this.video.hasAttribute("src")) return;
    this.plays = false;
    this.lost.hidden = false;
    this.place();
  }

  at(seconds) {
    const { starts, ends } = this.data;
    return `${(100 * (seconds - starts)) / Math.max(ends - starts, 1e-9)}%`;
  }

  build() {
    const { people, labels, starts, ends, chapters, marks } = this.data, length = Math.max(ends - starts, 1e-9);
    const focused = this.root.getRootNode().activeElement?.dataset?.focus;
    this.person = Math.min(this.person, Math.max(people.length - 1, 0));
    for (const list of [this.now, this.chapters, this.lanes, this.flags, this.legend]) list.replaceChildren();

    this.said = people.map((person, index) => {
      const row = make("li", "", this.now);
      make("span", "swatch", row);
      make("span", "", row, { textContent: person.name });
      return { row, said: make("span", "said", row) };
    });

    this.names = people.map((person, index) => {
      const lane = make("div", "lane", this.lanes);
      const name = make("button", "name", lane, { type: "button" });
      name.dataset.focus = `person ${person.number}`;
      name.setAttribute("aria-label", `Show probabilities of ${person.name}`);
      const stroke = draw("svg", name, { class: "stroke", viewBox: "0 0 26 10", "aria-hidden": "true" });
      draw("path", stroke, { d: "M0 5H26", ...strokeOf(index) });
      make("span", "", name, { textContent: person.name });
      name.onclick = () => this.choose(index);
      const band = draw("svg", lane, { class: "band", viewBox: `${starts} 0 ${length} 1`, preserveAspectRatio: "none", "aria-hidden": "true" });
      for (const [start, end, label] of person.spans)
        draw("rect", band, { x: start, y: 0, width: Math.max(end - start, length / 2000), height: 1, fill: labels[label].color });
      for (const [start] of person.corrected) draw("path", band, { class: "corrected", d: `M${start} 0V1` });
      return name;
    });
    if (people.some(({ lines }) => lines.some(({ valence }) => valence))) {
      const svg = this.panel("Valence", `${starts} -1.1 ${length} 2.2`);
      draw("path", svg, { class: "zero", d: `M${starts} 0H${ends}` });
      people.forEach((person, index) => {
        for (const { seconds, ends: last, valence } of person.lines) {
          const points = [...seconds.map((time, place) => `${time} ${-valence[place]}`), `${last} ${-valence.at(-1)}`];
          draw("path", svg, { class: "valence", d: `M${points.join("L")}`, ...strokeOf(index) });
        }
      });
    }
    if (people.length) this.lines = this.panel("", `${starts} -4 ${length} 108`);
    const ticks = make("div", "ticks", this.lane(""));
    const step = TICK_SECONDS.find((seconds) => length / seconds <= MOST_TICKS) ?? length / MOST_TICKS;
    for (let seconds = Math.ceil(starts / step) * step; seconds <= ends + 1e-6; seconds += step) {
      const tick = make("span", "", ticks, { textContent: clock(seconds) });
      tick.style.left = this.at(seconds);
      tick.style.transform = `translateX(-${this.at(seconds)})`; // keeps the first and the last inside
    }

    this.buttons = chapters.map(({ seconds, text, picture, marker }) => {
      const item = make("li", "", this.chapters);
      const button = make("button", "go", item, { type: "button" });
      button.dataset.focus = `chapter ${seconds} ${text}`;
      make("time", "", button, { textContent: clock(seconds) });
      if (picture) make("img", "", button, { src: picture, alt: "" });
      make("span", "", button, { textContent: text });
      button.onclick = () => this.go(seconds);
      if (marker !== null) make("span", "flag", this.flags).style.left = this.at(seconds);
      if (marker !== null && marks) {
        const drop = make("button", "drop", item, { type: "button", textContent: "×" });
        drop.setAttribute("aria-label", `Delete marker ${text}`);
        drop.onclick = () => this.tell("unmarked", marker);
      }
      return button;
    });
    this.chapters.hidden = !chapters.length;
    this.mark.hidden = !marks;
    this.chapters.parentNode.hidden = !marks && !chapters.length;

    for (const { name, color, likely } of labels) {
      if (!likely) continue;
      const item = make("li", "", this.legend);
      make("span", "swatch", item).style.setProperty("--color", color);
      make("span", "", item, { textContent: name });
    }
    this.choose(this.person);
    if (focused) [...this.root.querySelectorAll("[data-focus]")].find(({ dataset }) => dataset.focus === focused)?.focus();
  }

  lane(name) {
    const lane = make("div", "lane", this.lanes);
    this.title = make("div", "name", lane, { textContent: name });
    return lane;
  }

  panel(name, viewBox) {
    return draw("svg", this.lane(name), { class: "tall", viewBox, preserveAspectRatio: "none", "aria-hidden": "true" });
  }

  /** Draw the probabilities of a person. */
  choose(index) {
    this.person = index;
    this.names.forEach((name, other) => name.setAttribute("aria-pressed", other === index));
    const person = this.data.people[index];
    if (!person) return;
    this.lines.replaceChildren();
    this.lines.previousSibling.textContent = `${person.name}: probabilities`;
    for (const { seconds, ends, percents } of person.lines)
      this.data.labels.forEach(({ color, likely }, label) => {
        if (!likely) return;
        const points = [...seconds.map((time, place) => `${time} ${100 - percents[place][label]}`), `${ends} ${100 - percents.at(-1)[label]}`];
        draw("path", this.lines, { d: `M${points.join("L")}`, stroke: color });
      });
  }

  /** Update the cursor, the readings there, and the current chapter. */
  place() {
    const { people, labels, starts, ends, chapters } = this.data;
    this.stage.hidden = !this.plays && this.lost.hidden;
    this.video.hidden = !this.plays;
    this.top.classList.toggle("alone", this.stage.hidden);
    this.cursor.style.left = this.at(this.time);
    const now = Math.min(this.time, ends - 1e-3), words = [];
    people.forEach((person, index) => {
      const { row, said } = this.said[index], shown = shownAt(person, now);
      const label = shown && labels[shown.label].name;
      const text = shown ? `${label}${shown.sure}${saidAt(person, now, label)}` : "not in view";
      row.classList.toggle("away", !shown);
      row.firstChild.style.setProperty("--color", shown ? labels[shown.label].color : "transparent");
      said.textContent = text;
      if (shown) words.push(`${person.name}: ${text}`);
    });
    const current = placeOf(chapters.map(({ seconds }) => seconds), this.time + 0.05);
    this.buttons.forEach((button, index) => button.setAttribute("aria-current", index === current));
    this.mark.querySelector("button").textContent = `Add marker at ${clock(this.time)}`;
    if (this.plays && !this.video.paused) return; // otherwise a screen reader would keep speaking
    for (const [name, value] of [["min", starts], ["max", ends], ["now", this.time]])
      this.seek.setAttribute(`aria-value${name}`, value.toFixed(2));
    this.seek.setAttribute("aria-valuetext", [clock(this.time), ...words].join(", "));
  }

  /** Move the cursor with the video in every animation frame. */
  run() {
    this.follow();
    if (!this.video.paused && this.root.isConnected) requestAnimationFrame(() => this.run());
  }

  follow() {
    if (!this.plays || !this.video.readyState || this.dragging) return;
    const { starts, ends, begins } = this.data;
    this.time = Math.min(Math.max(this.video.currentTime + begins, starts), ends);
    this.place();
  }

  go(seconds) {
    const { starts, ends } = this.data;
    this.time = Math.min(Math.max(seconds, starts), ends);
    this.seekVideo();
    this.place();
    this.report();
  }

  seekVideo() {
    if (!this.plays || !this.video.readyState) return; // seeks once it has loaded
    const last = Number.isFinite(this.video.duration) ? Math.max(this.video.duration - 0.02, 0) : Infinity;
    this.video.currentTime = Math.min(Math.max(this.time - this.data.begins, 0) + 1e-3, last);
  }

  /** Report the position to Python when the player has stopped. */
  report() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.root.isConnected || (this.plays && !this.video.paused)) return;
      const seconds = Math.round(this.time * 100) / 100;
      if (seconds !== this.reported) this.tell("seconds", (this.reported = seconds));
    }, REPORT_MS);
  }

  secondsAt({ clientX }) {
    const { left, width } = this.seek.getBoundingClientRect(), { starts, ends } = this.data;
    return starts + Math.min(Math.max((clientX - left) / width, 0), 1) * (ends - starts);
  }

  press(event) {
    if (event.button) return;
    this.seek.setPointerCapture(event.pointerId);
    this.dragging = true;
    const move = (moved) => this.go(this.secondsAt(moved));
    const end = () => {
      this.dragging = false;
      this.seek.removeEventListener("pointermove", move);
    };
    this.seek.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) this.seek.addEventListener(name, end, { once: true });
    move(event);
  }

  hover(event) {
    const seconds = this.secondsAt(event), { people, labels } = this.data;
    this.tip.hidden = event.pointerType === "touch";
    if (this.tip.hidden) return;
    this.tip.replaceChildren();
    make("p", "", this.tip, { textContent: `${clock(seconds)}${(seconds % 1).toFixed(1).slice(1)}` });
    for (const person of people) {
      const shown = shownAt(person, seconds);
      if (!shown) continue;
      const best = shown.percents.map((percent, label) => [percent, labels[label].name]).sort((a, b) => b[0] - a[0]).slice(0, MOST_SAID);
      make("p", "", this.tip, { textContent: `${person.name}: ${best.map(([percent, name]) => `${name} ${inPercent(percent)}`).join(", ")}` });
    }
    const box = this.seek.getBoundingClientRect(), x = event.clientX - box.left;
    this.tip.style.left = `${Math.min(Math.max(x - this.tip.offsetWidth / 2, 0), Math.max(box.width - this.tip.offsetWidth, 0))}px`;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? FRAME : STEP, { starts, ends } = this.data;
    const to = {
      ArrowRight: this.time + step, ArrowUp: this.time + step, ArrowLeft: this.time - step, ArrowDown: this.time - step,
      PageUp: this.time + LEAP, PageDown: this.time - LEAP, Home: starts, End: ends,
    }[event.key];
    if (to !== undefined) this.go(to);
    else if (event.key === " " && this.plays) this.video.paused ? this.video.play() : this.video.pause();
    else return;
    event.preventDefault();
  }

  note(event) {
    event.preventDefault();
    const input = this.mark.querySelector("input"), text = input.value.trim();
    if (!text) return;
    input.value = "";
    this.tell("marked", { seconds: this.time, text });
  }
}

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".player");
  const player = (root.player ??= new Player(root));
  player.show(data, (name, value) => (name === "seconds" ? setStateValue : setTriggerValue)(name, value));
  return () => clearTimeout(player.timer);
}
