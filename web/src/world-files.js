/** The files: the tree of them with the current folder marked, and the terminal. */

import { el, setText } from "./dom.js";
import { plural } from "./format.js";
import { scroller, terminalEntry } from "./world-data.js";
import { arrange, glyph, reveal } from "./world-parts.js";

/** @typedef {import("./world-types.js").FilesWorld} FilesWorld */
/** @typedef {import("./world-types.js").TreeEntry} TreeEntry */
/** @typedef {import("./world-types.js").TerminalData} TerminalData */
/** @typedef {ReturnType<typeof treePart>} TreePart */

const KILO = 1000;
const GREETING = "What you ask for runs here.";

/** Shows a small file system and what was done in it. */
export class FilesView {
  constructor() {
    this.title = "Files";
    this.root = el("ul", { class: "tree" });
    /** @type {Map<string, TreePart>} by path */
    this.parts = new Map();
    this.used = el("span", { class: "quiet" });
    this.folder = el("code");
    this.where = el("p", { class: "where" }, el("span", {}, "In ", this.folder), this.used);
    this.tree = scroller("Folders and files", "tree-frame", this.root);
    this.idle = el("p", { class: "terminal-idle" }, GREETING);
    this.terminal = scroller("Terminal", "terminal", this.idle);
    /** @type {readonly TerminalData[]} */
    this.entries = [];
    this.node = el(
      "div",
      { class: "files" },
      this.where,
      this.tree,
      el("h3", {}, "Terminal"),
      this.terminal,
    );
  }

  /** @param {FilesWorld} world */
  summary({ cwd, tree }) {
    const files = tree.filter(({ kind }) => kind === "file").length;
    return `in ${cwd}, ${plural(files, "file")}`;
  }

  /**
   * @param {FilesWorld} world
   * @param {readonly string[]} changed
   * @param {readonly TerminalData[]} terminal
   */
  update({ cwd, tree, used }, changed, terminal) {
    setText(this.folder, cwd);
    setText(this.used, `${size(used)} used`);
    this.where.dataset["here"] = String(!tree.some(({ here }) => here));
    this.#showTree(tree);
    this.#showTerminal(terminal);
    const seen = tree.find(({ path }) => changed.includes(path)) ?? tree.find(({ here }) => here);
    const row = seen && this.parts.get(seen.path)?.row;
    if (row) reveal(this.tree, row);
  }

  /** @param {TreeEntry[]} tree depth first, so that a folder's list is begun before it is filled */
  #showTree(tree) {
    /** @type {Map<string, TreePart>} */
    const parts = new Map();
    /** @type {{list: HTMLElement, nodes: HTMLElement[]}[]} the open folders' lists, root first */
    const open = [{ list: this.root, nodes: [] }];
    const finished = [...open];
    for (const entry of tree) {
      const part = this.parts.get(entry.path) ?? treePart(entry);
      part.update(entry);
      parts.set(entry.path, part);
      open.length = Math.min(open.length, entry.depth + 1);
      open.at(-1)?.nodes.push(part.node);
      if (part.list) {
        const level = { list: part.list, nodes: [] };
        open.push(level);
        finished.push(level);
      }
    }
    for (const { list, nodes } of finished) arrange(list, nodes);
    this.parts = parts;
  }

  /** @param {readonly TerminalData[]} entries */
  #showTerminal(entries) {
    let same = 0;
    while (same < entries.length && entries[same] === this.entries[same]) same += 1;
    if (same === entries.length && same === this.entries.length) return;
    const kept = Array.from(this.terminal.children).slice(0, same);
    const added = entries.slice(same).map(terminalEntry);
    arrange(this.terminal, entries.length > 0 ? [...kept, ...added] : [this.idle]);
    this.entries = entries.slice();
    this.terminal.scrollTop = this.terminal.scrollHeight;
  }
}

/** @param {TreeEntry} entry */
function treePart({ path, name, kind, hidden }) {
  const bytes = el("span", { class: "size quiet" });
  const here = el("span", { class: "here" }, "current folder");
  const isFolder = kind === "dir";
  const label = { class: hidden ? "file-name quiet" : "file-name" };
  const row = el(
    "div",
    { class: "tree-row", "data-part": path, "data-kind": kind },
    glyph(kind),
    el("span", label, isFolder ? `${name}/` : name),
    here,
    !isFolder && bytes,
  );
  const list = isFolder ? el("ul") : null;
  return {
    node: el("li", {}, row, list),
    row,
    list,
    /** @param {TreeEntry} entry */
    update: (entry) => {
      here.hidden = !entry.here;
      if (entry.here) row.setAttribute("aria-current", "location");
      else row.removeAttribute("aria-current");
      setText(bytes, size(entry.size));
    },
  };
}

/** @param {number} bytes */
function size(bytes) {
  if (bytes < KILO) return `${bytes} B`;
  const kilo = bytes / KILO;
  return kilo < KILO ? `${kilo.toFixed(1)} KB` : `${(kilo / KILO).toFixed(1)} MB`;
}
