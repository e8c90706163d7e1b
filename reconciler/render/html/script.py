"""The script of the page of html: it takes out and puts back what stands in it, and nothing else.

Nothing of the plan is ever parsed as markup or code here: texts are read and compared.
"""

from __future__ import annotations

from typing import Final

# Of ten thousand blocks a screen shows ten. Of those that a filter lets through a hundred stand in
# the page, the others beside it, so that a keystroke lays out a hundred and not all.
SCRIPT: Final = """
"use strict";
(() => {
  const PAGE = 100;
  const FEW = 20;
  const id = (name) => document.getElementById(name);
  const find = id("find"), count = id("count"), none = id("none");
  const choices = [...document.querySelectorAll("#tools select")];
  const words = (text) => (text || "").split(" ").filter(Boolean);
  const plain = (number) => number.toLocaleString("en");
  const entry = (node) => ({
    node, text: null, members: null,
    size: Number(node.dataset.size || 1),
    app: node.dataset.app, act: words(node.dataset.act), risk: words(node.dataset.risk),
  });
  const parts = [...document.querySelectorAll("section[data-part]")].map((node) => {
    const number = node.querySelector("[data-count]");
    const place = node.querySelector("[data-entries]");
    const entries = [...place.children].map(entry);
    return {
      node, number, place, entries, said: number.textContent, room: PAGE, shown: entries,
      fold: node.querySelector("details[data-list]"), more: node.querySelector("[data-more]"),
      total: entries.reduce((sum, one) => sum + one.size, 0),
      counts: node.hasAttribute("data-devices"),
    };
  });
  const total = parts.reduce((sum, part) => sum + (part.counts ? part.total : 0), 0);

  // What a block says is read once, and what its many devices are called apart from the rest.
  const read = (one) => {
    if (one.text !== null) return;
    const list = one.node.querySelector("ul[data-members]");
    if (list === null) {
      one.text = one.node.textContent.toLowerCase();
      return;
    }
    const nodes = [...list.children];
    one.text = [...one.node.children].filter((child) => !child.contains(list))
      .map((child) => child.textContent.toLowerCase()).join(" ");
    one.members = {
      list, nodes, shown: nodes, texts: nodes.map((node) => node.textContent.toLowerCase()),
      fold: list.parentNode,
    };
  };
  const put = (owner, place, nodes) => {
    const same = owner.shown.length === nodes.length
      && nodes.every((node, index) => node === owner.shown[index]);
    if (same) return;
    owner.shown = nodes;
    const all = new DocumentFragment();
    for (const node of nodes) all.append(node);
    place.replaceChildren(all);
  };
  // Opened because of a filter, closed again after it; what somebody opened stays open.
  const unfold = (fold, wanted) => {
    if (wanted && !fold.open) { fold.open = true; fold.dataset.ours = ""; }
    if (!wanted && "ours" in fold.dataset) { fold.open = false; delete fold.dataset.ours; }
  };
  // How many devices of a block have all the words, each in what it shares or in its own line.
  const narrowed = (one, wanted) => {
    read(one);
    const rest = wanted.filter((word) => !one.text.includes(word));
    const members = one.members;
    if (members === null) return rest.length === 0 ? one.size : 0;
    const fits = rest.length === 0 ? members.nodes : members.nodes
      .filter((_, index) => rest.every((word) => members.texts[index].includes(word)));
    put(members, members.list, fits);
    unfold(members.fold, rest.length > 0 && fits.length > 0 && fits.length <= FEW);
    return fits.length;
  };
  const chosen = (one) => choices.every((choice) => {
    if (choice.value === "" || one.app === undefined) return true;
    if (choice.id === "app") return one.app === choice.value;
    const has = one[choice.id];
    return choice.value === "any" ? has.length > 0 : has.includes(choice.value);
  });

  const filter = () => {
    const wanted = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const active = wanted.length > 0 || choices.some((choice) => choice.value !== "");
    let shown = 0;
    for (const part of parts) {
      const fits = [];
      let here = 0;
      for (const one of part.entries) {
        const many = chosen(one) ? narrowed(one, wanted) : 0;
        if (many > 0) fits.push(one.node);
        here += many;
      }
      put(part, part.place, fits.slice(0, part.room));
      const waiting = fits.length - part.shown.length;
      part.more.hidden = waiting === 0;
      part.more.querySelector("span").textContent = `${plain(waiting)} more`;
      part.number.textContent = here === part.total ? part.said : `${plain(here)} of ${part.said}`;
      part.node.hidden = here === 0;
      if (part.fold !== null) unfold(part.fold, active && here <= FEW);
      if (part.counts) shown += here;
    }
    const all = `${plain(total)} ${total === 1 ? "entry" : "entries"}`;
    count.textContent = active ? `${plain(shown)} of ${all}` : all;
    none.hidden = !active || shown > 0;
  };
  const again = () => {
    for (const part of parts) part.room = PAGE;
    filter();
  };
  find.addEventListener("input", again);
  for (const choice of choices) choice.addEventListener("change", again);
  for (const part of parts) {
    const [further, all] = part.more.querySelectorAll("button");
    further.addEventListener("click", () => { part.room += PAGE; filter(); });
    all.addEventListener("click", () => { part.room = Infinity; filter(); });
  }
  // Paper has room for all that fits.
  addEventListener("beforeprint", () => {
    for (const part of parts) { part.before = part.room; part.room = Infinity; }
    filter();
  });
  addEventListener("afterprint", () => {
    for (const part of parts) part.room = part.before;
    filter();
  });

  const clear = () => {
    find.value = "";
    for (const choice of choices) choice.value = "";
    again();
  };
  const step = (by) => {
    const there = parts.filter((part) => part.counts && !part.node.hidden)
      .filter((part) => part.fold === null || part.fold.open).flatMap((part) => part.shown);
    const at = there.indexOf(document.activeElement);
    const to = there[at < 0 ? (by > 0 ? 0 : there.length - 1) : at + by];
    if (to === undefined) return;
    to.tabIndex = -1;
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "center" });
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (find.value === "" && choices.every((choice) => choice.value === "")) {
        document.activeElement.blur();
      } else {
        clear();
      }
      event.preventDefault();
    }
    if (event.target instanceof Element && event.target.matches("input, select")) return;
    if (event.key === "/") { find.focus(); find.select(); event.preventDefault(); }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });

  id("tools").hidden = id("keys").hidden = total === 0;
  filter();
  // The texts of a large plan are read while nobody types.
  const unread = parts.flatMap((part) => part.entries);
  const idle = self.requestIdleCallback || ((work) => setTimeout(work, 20));
  const ahead = () => {
    for (let left = 250; left > 0 && unread.length > 0; left -= 1) read(unread.pop());
    if (unread.length > 0) idle(ahead);
  };
  idle(ahead);
})();
"""
