/* Faces as tiles, in groups; Tab reaches one tile, and the arrow keys reach the others from there. */

const make = (tag, className, parent, properties = {}) =>
  parent.appendChild(Object.assign(document.createElement(tag), { className, ...properties }));

class Gallery {
  constructor(root) {
    this.root = root;
    this.tiles = [];
    root.onkeydown = (event) => this.key(event);
  }

  show({ groups, selected }, choose) {
    this.choose = choose;
    const shown = JSON.stringify(groups);
    if (shown !== this.shown) this.build(groups);
    this.shown = shown;
    this.mark(selected);
  }

  build(groups) {
    const focused = this.root.getRootNode().activeElement?.dataset.id, { scrollTop } = this.root;
    this.root.replaceChildren();
    this.tiles = groups.flatMap((group) => {
      const heading = make("div", "heading", this.root);
      heading.style.setProperty("--color", group.color);
      make("span", group.unsure ? "dot unsure" : "dot", heading);
      make("strong", "", heading, { textContent: group.name });
      make("span", "count", heading, { textContent: group.count });
      const list = make("div", "tiles", this.root);
      list.setAttribute("role", "group");
      list.setAttribute("aria-label", `${group.name} ${group.count}`);
      list.style.setProperty("--color", group.color);
      list.classList.toggle("unsure", group.unsure);
      return group.tiles.map((tile) => this.tile(tile, list));
    });
    this.root.scrollTop = scrollTop;
    this.tiles.find((tile) => tile.dataset.id === focused)?.focus({ preventScroll: true });
  }

  tile({ id, url, caption, mark, name }, list) {
    const button = make("button", "tile", list, { type: "button", title: name });
    button.dataset.id = id;
    button.setAttribute("aria-label", name);
    if (url) make("img", "picture", button, { loading: "lazy", alt: "", width: 84, height: 84 }).src = url;
    else make("span", "picture icon", button, { textContent: "hide_image", ariaHidden: "true", translate: false });
    make("span", "caption", button, { textContent: caption });
    if (mark) make("span", "said", button, { textContent: mark });
    button.onclick = () => {
      this.mark(id);
      this.choose(id);
    };
    return button;
  }

  mark(selected) {
    const first = this.tiles.find((tile) => tile.dataset.id === selected) ?? this.tiles[0];
    for (const tile of this.tiles) {
      tile.setAttribute("aria-pressed", tile.dataset.id === selected);
      tile.tabIndex = tile === first ? 0 : -1;
    }
  }

  key(event) {
    const now = this.tiles.indexOf(event.target);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: this.tiles.length - 1 }[event.key];
    const rows = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const to = rows ? this.beyond(event.target, rows) : this.tiles[next];
    if (now < 0 || (next === undefined && !rows)) return;
    event.preventDefault();
    to?.focus();
  }

  /** The nearest tile in the next row, down (1) or up (-1). */
  beyond(from, down) {
    const further = this.tiles.filter((tile) => down * (tile.offsetTop - from.offsetTop) > 1);
    const row = Math.min(...further.map((tile) => down * tile.offsetTop));
    const across = (tile) => Math.abs(tile.offsetLeft - from.offsetLeft);
    return further.filter((tile) => down * tile.offsetTop === row).sort((a, b) => across(a) - across(b))[0];
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".groups");
  const gallery = (root.gallery ??= new Gallery(root));
  gallery.show(data, (id) => setTriggerValue("tile", id));
}
