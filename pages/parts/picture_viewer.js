/* A picture with its faces: zoom and move it, and select a face, by pointer or keyboard. Screen sizes in CSS pixels. */

const LABELS = 12; // if more faces are visible, they get dots with their numbers
const GAP = 3, DRAG = 5, STEP = 1.25, ARROW = 40, TILE = 84;
const KEYS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
const clamp = (value, lowest, highest) => Math.max(Math.min(value, highest), lowest);

/** Place a label of [width, height] beside a box [x1, y1, x2, y2], within a room of [width, height]: above, below, right
 * or left, as [x1, y1, x2, y2]; undefined if each place is outside the room or overlaps a taken one. */
export function place([width, height], [x1, y1, x2, y2], room, taken) {
  const along = [x1, x2 - width].map((x) => clamp(x, 0, room[0] - width));
  const beside = [y1, y2 - height].map((y) => clamp(y, 0, room[1] - height));
  const corners = [
    ...[y1 - height - GAP, y2 + GAP].flatMap((y) => along.map((x) => [x, y])),
    ...[x2 + GAP, x1 - width - GAP].flatMap((x) => beside.map((y) => [x, y])),
  ];
  return corners
    .map(([x, y]) => [x, y, x + width, y + height])
    .find((spot) => overlap([0, 0, ...room], spot) && spot[0] >= 0 && spot[1] >= 0 && spot[2] <= room[0] &&
      spot[3] <= room[1] && !taken.some((other) => overlap(spot, other)));
}

/** Limit a picture's offset along one axis, so that it leaves no gap; a picture that fits is centered. */
const held = (offset, size, room) => (size <= room ? (room - size) / 2 : clamp(offset, room - size, 0));

const make = (tag, className, parent, properties = {}) =>
  parent.appendChild(Object.assign(document.createElement(tag), { className, ...properties }));

class Viewer {
  constructor(root) {
    this.root = root;
    for (const name of ["stage", "img", "faces", "labels", "gallery", "level"])
      this[name] = root.querySelector(name === "img" ? name : `.${name}`);
    this.pointers = new Map();
    this.elsewhere = -1e9; // when the page was last scrolled
    this.stage.addEventListener("pointerdown", (event) => this.press(event));
    this.stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"])
      this.stage.addEventListener(end, ({ pointerId }) => this.pointers.delete(pointerId));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("keydown", (event) => this.key(event));
    root.querySelector(".in").onclick = () => this.zoom(STEP ** 2);
    root.querySelector(".out").onclick = () => this.zoom(STEP ** -2);
    root.querySelector(".fit").onclick = () => this.fit();
  }

  /** Show the data from Python; zoom and position stay unless the picture changes. */
  show(data, choose) {
    this.choose = choose;
    if (this.data?.url !== data.url) {
      this.img.src = data.url;
      this.view = { zoom: 1, x: data.size[0] / 2, y: data.size[1] / 2 };
    }
    const others = JSON.stringify([this.data?.url, this.data?.faces]) !== JSON.stringify([data.url, data.faces]);
    this.data = data;
    this.img.alt = data.alt;
    this.stage.style.aspectRatio = data.size.join(" / ");
    if (others) this.build();
    this.mark(data.selected);
    this.draw();
  }

  build() {
    const lists = [this.faces, this.gallery];
    const focused = lists.map((list) => [...list.children].indexOf(list.getRootNode().activeElement));
    this.buttons = this.tiles = this.tags = []; // removed buttons trigger blur events, which call draw
    this.pointed = null;
    [...lists, this.labels].forEach((list) => list.replaceChildren());
    const tags = this.data.faces.map(() => make("span", "tag", this.labels));
    tags.forEach((tag, index) => this.paint(tag, index));
    const buttons = this.list(this.faces, "face"), tiles = this.list(this.gallery, "tile");
    tiles.forEach((tile, index) => this.fill(tile, this.data.faces[index]));
    this.gallery.hidden = tiles.length < 2;
    Object.assign(this, { tags, buttons, tiles });
    focused.forEach((index, list) => [buttons, tiles][list][index]?.focus({ preventScroll: true }));
  }

  /** Make a button for each face; Tab reaches one of them, and the arrow keys reach the others from there. */
  list(parent, className) {
    const buttons = this.data.faces.map((face, index) => {
      const button = make("button", className, parent, { type: "button" });
      button.setAttribute("aria-label", face.name);
      button.onclick = () => this.pick(index);
      button.onpointerenter = button.onfocus = () => this.point(index, className === "face" && button.matches(":focus-visible"));
      button.onpointerleave = button.onblur = () => this.point(null);
      this.paint(button, index);
      return button;
    });
    parent.onkeydown = (event) => {
      const now = buttons.indexOf(event.target);
      const next = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (now < 0 || next === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      buttons[clamp(next, 0, buttons.length - 1)].focus({ preventScroll: className === "face" });
    };
    return buttons;
  }

  paint(element, index) {
    const { color, ink, unsure } = this.data.faces[index];
    element.style.setProperty("--color", color);
    element.style.setProperty("--ink", ink);
    element.classList.toggle("unsure", unsure);
  }

  /** Fill a tile with the face and its caption. */
  fill(tile, { box: [x1, y1, x2, y2], caption }) {
    const [width, height] = this.data.size;
    const side = Math.min(1.3 * Math.max(x2 - x1, y2 - y1), width, height), scale = TILE / side;
    const left = clamp((x1 + x2 - side) / 2, 0, width - side), top = clamp((y1 + y2 - side) / 2, 0, height - side);
    const thumb = make("span", "thumb", tile);
    thumb.style.backgroundImage = `url("${this.data.url}")`;
    thumb.style.backgroundSize = `${width * scale}px ${height * scale}px`;
    thumb.style.backgroundPosition = `${-left * scale}px ${-top * scale}px`;
    make("span", "caption", tile, { textContent: caption });
  }

  pick(index) {
    this.mark(index);
    this.draw();
    this.choose(index);
  }

  mark(selected) {
    this.selected = selected;
    for (const buttons of [this.buttons, this.tiles])
      buttons.forEach((button, index) => {
        button.setAttribute("aria-pressed", index === selected);
        button.tabIndex = index === (selected ?? 0) ? 0 : -1;
      });
  }

  /** Show the label of the face under the pointer, or none; `into` moves the face into view. */
  point(index, into = false) {
    this.pointed = index;
    if (into) {
      const [x1, y1, x2, y2] = this.screen(this.data.faces[index].box), room = this.room();
      if (x1 < 0 || y1 < 0 || x2 > room[0] || y2 > room[1]) this.move(room[0] / 2 - (x1 + x2) / 2, room[1] / 2 - (y1 + y2) / 2);
    }
    this.draw();
  }

  room() {
    return [this.stage.clientWidth, this.stage.clientHeight];
  }

  /** Screen pixels per picture pixel, and the position of the upper left corner. */
  layout() {
    const [width, height] = this.data.size, room = this.room(), { zoom, x, y } = this.view;
    const scale = Math.min(room[0] / width, room[1] / height) * zoom;
    const left = held(room[0] / 2 - x * scale, width * scale, room[0]);
    const top = held(room[1] / 2 - y * scale, height * scale, room[1]);
    return { scale, left, top };
  }

  screen(box) {
    const { scale, left, top } = this.layout();
    return box.map((value, axis) => value * scale + (axis % 2 ? top : left));
  }

  /** Move the picture by some screen pixels. */
  move(right, down) {
    const { scale, left, top } = this.layout(), room = this.room();
    this.view.x = (room[0] / 2 - left - right) / scale;
    this.view.y = (room[1] / 2 - top - down) / scale;
    const at = this.layout(); // limited to the picture
    this.view.x = (room[0] / 2 - at.left) / scale;
    this.view.y = (room[1] / 2 - at.top) / scale;
    this.draw();
  }

  /** Zoom around a point of the stage, by default its center. */
  zoom(factor, at = this.room().map((length) => length / 2)) {
    const before = this.layout(), most = Math.max(8, 2 / (before.scale / this.view.zoom));
    this.view.zoom = clamp(this.view.zoom * factor, 1, most);
    const room = this.room(), scale = this.layout().scale;
    this.view.x = (at[0] - before.left) / before.scale + (room[0] / 2 - at[0]) / scale;
    this.view.y = (at[1] - before.top) / before.scale + (room[1] / 2 - at[1]) / scale;
    this.move(0, 0);
  }

  fit() {
    this.view.zoom = 1;
    this.move(0, 0);
  }

  at({ clientX, clientY }) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  press(event) {
    if (!event.button) this.pointers.set(event.pointerId, this.at(event));
  }

  drag(event) {
    if (!event.buttons) this.pointers.delete(event.pointerId); // released outside the stage
    const was = this.pointers.get(event.pointerId), now = this.at(event);
    if (!was || (this.view.zoom === 1 && this.pointers.size < 2)) return;
    const [right, down] = [now[0] - was[0], now[1] - was[1]];
    if (Math.hypot(right, down) < DRAG && !this.stage.hasPointerCapture(event.pointerId)) return;
    // From now on the stage gets all events, so that the end of the drag does not click a face.
    this.stage.setPointerCapture(event.pointerId);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (other) {
      const apart = (point) => Math.max(Math.hypot(point[0] - other[0], point[1] - other[1]), 1);
      this.zoom(apart(now) / apart(was), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
      this.move(right / 2, down / 2);
    } else this.move(right, down);
  }

  wheel(event) {
    // Scrolling the page continues when the picture comes under the pointer, and when it is zoomed out.
    const scrolls = !event.ctrlKey && (event.timeStamp - this.elsewhere < 300 || (this.view.zoom === 1 && event.deltaY > 0));
    if (scrolls) return void (this.elsewhere = event.timeStamp);
    event.preventDefault();
    this.zoom(STEP ** clamp(-event.deltaY / (event.ctrlKey ? 10 : 100), -2, 2), this.at(event));
  }

  key(event) {
    const does = { "+": () => this.zoom(STEP), "=": () => this.zoom(STEP), "-": () => this.zoom(1 / STEP), 0: () => this.fit(), Escape: () => this.fit() }[event.key];
    const way = this.view.zoom > 1 && KEYS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(does || way)) return;
    event.preventDefault();
    if (way) this.move(ARROW * way[0], ARROW * way[1]);
    else does();
  }

  draw() {
    if (this.buttons.length !== this.data.faces.length) return; // the picture is being replaced
    const { scale, left, top } = this.layout(), room = this.room(), [width, height] = this.data.size;
    Object.assign(this.img.style, { width: `${width * scale}px`, height: `${height * scale}px`, left: `${left}px`, top: `${top}px` });
    this.stage.classList.toggle("zoomed", this.view.zoom > 1);
    this.level.textContent = `${Math.round(100 * this.view.zoom)} %`;
    const boxes = this.data.faces.map(({ box }) => this.screen(box));
    boxes.forEach(([x1, y1, x2, y2], index) =>
      Object.assign(this.buttons[index].style, { left: `${x1}px`, top: `${y1}px`, width: `${x2 - x1}px`, height: `${y2 - y1}px` }),
    );
    this.label(boxes, room);
  }

  /** Place each label beside its face, starting with the face under the pointer and the selected one. */
  label(boxes, room) {
    const inSight = boxes.map((box) => overlap(box, [0, 0, ...room]));
    const many = inSight.filter(Boolean).length > LABELS;
    const order = [...new Set([this.pointed, this.selected, ...boxes.keys()])].filter((index) => index in boxes);
    const taken = [...boxes];
    for (const index of order) {
      const tag = this.tags[index], box = boxes[index], face = this.data.faces[index];
      tag.hidden = !inSight[index];
      if (tag.hidden) continue;
      const pointed = index === this.pointed;
      const sized = (text, dot) => {
        tag.textContent = text;
        tag.classList.toggle("dot", dot);
        return [tag.offsetWidth, tag.offsetHeight];
      };
      let spot, size;
      if (pointed || !many || index === this.selected) {
        size = sized(face.text, false);
        spot = place(size, box, room, taken) ?? (pointed ? place(size, box, room, [box]) ?? [clamp(box[0], 0, Math.max(room[0] - size[0], 0)), Math.max(room[1] - size[1], 0)] : undefined);
      }
      if (!spot) {
        size = sized(face.number, true);
        spot = place(size, box, room, taken) ?? [clamp(box[2] - size[0] / 2, 0, room[0] - size[0]), clamp(box[1] - size[1] / 2, 0, room[1] - size[1])];
      }
      taken.push([spot[0], spot[1], spot[0] + size[0], spot[1] + size[1]]);
      tag.classList.toggle("pointed", pointed);
      Object.assign(tag.style, { left: `${spot[0]}px`, top: `${spot[1]}px` });
    }
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".viewer");
  const viewer = (root.viewer ??= new Viewer(root));
  viewer.show(data, (index) => setTriggerValue("face", index));
  const resized = new ResizeObserver(() => viewer.draw());
  resized.observe(viewer.stage);
  const scrolled = (event) => {
    if (!event.composedPath().includes(viewer.stage)) viewer.elsewhere = event.timeStamp;
  };
  addEventListener("wheel", scrolled, { passive: true });
  return () => {
    resized.disconnect();
    removeEventListener("wheel", scrolled);
  };
}
