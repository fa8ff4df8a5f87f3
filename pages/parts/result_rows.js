/* The list of results. Each row has a checkbox to select it, a link to open it and a menu with more actions. */

const make = (tag, className, parent, properties = {}) =>
  parent.appendChild(Object.assign(document.createElement(tag), { className, ...properties }));

class Rows {
  constructor(root) {
    [this.list, this.menu] = root.children;
    this.menu.onkeydown = (event) => this.key(event);
    this.menu.ontoggle = ({ newState }) => {
      const opener = this.opener();
      opener?.setAttribute("aria-expanded", newState === "open");
      if (newState === "closed" && this.menu.contains(this.menu.getRootNode().activeElement)) opener?.focus();
    };
  }

  show({ rows, chosen, going }, choose, act) {
    Object.assign(this, { choose, act, chosen: new Set(chosen) });
    this.rest();
    if (going) this.timer = setInterval(() => act(["", "look"]), 2000);
    const shown = JSON.stringify(rows);
    if (shown !== this.shown) this.build(rows);
    this.shown = shown;
    for (const row of this.list.children) this.mark(row);
  }

  rest() {
    clearInterval(this.timer);
  }

  build(rows) {
    const focused = this.list.getRootNode().activeElement;
    const [id, part] = [focused?.closest(".row")?.dataset.id, focused?.dataset.part];
    this.list.replaceChildren(...rows.map((row) => this.row(row)));
    this.rowOf(id)?.querySelector(`[data-part="${part}"]`)?.focus({ preventScroll: true });
    if (this.menu.matches(":popover-open")) {
      if (this.opener()) this.opener().setAttribute("aria-expanded", true);
      else this.menu.hidePopover(); // its result is gone
    }
  }

  rowOf(id) {
    return [...this.list.children].find((one) => one.dataset.id === id);
  }

  opener() {
    return this.rowOf(this.opened)?.querySelector(".more"); // the rows may have been built again since it was pressed
  }

  row({ id, name, href, face, icon, facts, is_shared: isShared, menu }) {
    const row = document.createElement("li"), act = (what) => this.act([id, what]);
    row.className = "row";
    row.dataset.id = id;
    const box = make("input", "", make("label", "box", row), { type: "checkbox", ariaLabel: `Select ${name}` });
    box.onchange = () => {
      this.chosen[box.checked ? "add" : "delete"](id);
      this.mark(row);
      this.choose([...this.chosen]);
    };
    if (face) make("img", "face", row, { src: face, alt: "", loading: "lazy" });
    else make("span", "icon", row, { textContent: icon, ariaHidden: "true", translate: false });
    const link = make("a", "name", row, { textContent: name, title: name, href });
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // opens in another tab
      event.preventDefault();
      this.rest(); // a rerun of this page that comes after the next page's would empty that
      act("open");
    };
    for (const [first, second] of facts) {
      const fact = make("div", "fact", row);
      make("div", "", fact, { textContent: first });
      make("div", "second", fact, { textContent: second });
    }
    if (isShared) {
      const mark = row.lastChild.lastChild;
      make("span", "symbol", mark, { textContent: "link", ariaHidden: "true", translate: false });
      make("span", "", mark, { textContent: "shared" });
    }
    const more = make("button", "more", row, { type: "button", textContent: "⋯", ariaLabel: `Actions for ${name}`, ariaHasPopup: "menu", ariaExpanded: "false" });
    more.onclick = () => this.open(id, menu, act);
    [box, link, more].forEach((one, part) => (one.dataset.part = part));
    return row;
  }

  mark(row) {
    const chosen = this.chosen.has(row.dataset.id);
    row.classList.toggle("chosen", chosen);
    row.querySelector("input").checked = chosen;
  }

  open(id, items, act) {
    this.opened = id;
    this.menu.replaceChildren();
    for (const [what, label] of items)
      make("button", "", this.menu, { type: "button", role: "menuitem", tabIndex: -1, textContent: label }).onclick = () => {
        this.menu.hidePopover();
        act(what);
      };
    this.menu.showPopover();
    const at = this.opener().getBoundingClientRect(), { offsetWidth, offsetHeight } = this.menu;
    const below = at.bottom + offsetHeight <= innerHeight;
    this.menu.style.left = `${Math.max(at.right - offsetWidth, 0)}px`;
    this.menu.style.top = `${below ? at.bottom : Math.max(at.top - offsetHeight, 0)}px`;
    this.menu.firstChild.focus();
  }

  key(event) {
    const items = [...this.menu.children], now = items.indexOf(event.target), last = items.length - 1;
    const next = { ArrowDown: now === last ? 0 : now + 1, ArrowUp: now > 0 ? now - 1 : last, Home: 0, End: last }[event.key];
    if (event.key === "Tab") this.menu.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    items[next].focus();
  }
}

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".results");
  const rows = (root.rows ??= new Rows(root));
  const choose = (ids) => setStateValue("chosen", { ids, at: Date.now() }); // the same choice may be made again
  rows.show(data, choose, (what) => setTriggerValue("act", what));
  return () => rows.rest();
}
