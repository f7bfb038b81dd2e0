"use strict";
// The trees of the worker map: which nodes there are, which of them are unfolded, and where each stands.
// A node's key is its path from the handover: "h3/12/40"; in `forced`, "h3/12/" says that h3/12 is unfolded by a search.
function workerTree(data, budget) {
  const state = { quiet: false, open: new Set(), spread: new Set(), forced: new Set(), matches: null, before: null };
  const known = new Map();
  state.quiet = data.workers.length <= 40 || !data.workers.some((worker) => worker.hot);

  const hotHandover = (h) => h.hazards.length > 0 || h.runs.some(([w]) => data.workers[w].hot);
  const order = data.handovers.map((_, i) => i).sort((a, b) => hotHandover(data.handovers[b]) - hotHandover(data.handovers[a]) || a - b);

  function root(h) {
    return { key: `h${h}`, kind: "hand", h, hazards: data.handovers[h].hazards, hot: hotHandover(data.handovers[h]) };
  }

  function child(parent, w, role) {
    const worker = data.workers[w];
    const home = worker.home[0] === parent.h && worker.home[1] === (parent.kind === "hand" ? -1 : parent.w);
    return {
      key: `${parent.key}/${w}`, kind: home ? "work" : "ref", h: parent.h, w, role,
      hazards: home ? worker.hazards : [], hot: worker.hot,
    };
  }

  function all(node) {
    if (node.kind === "hand") {
      const h = data.handovers[node.h];
      const below = h.runs.map(([w, role]) => child(node, w, role));
      if (h.open) below.push({ key: `${node.key}/?`, kind: "open", h: node.h, hazards: [], hot: false });
      return below;
    }
    return node.kind === "work" ? data.workers[node.w].calls.map(([w]) => child(node, w, "")) : [];
  }

  function chosen(node) {
    const below = all(node);
    const searching = state.forced.has(`${node.key}/`);
    if (state.spread.has(node.key) || (!searching && (state.quiet || node.kind === "hand"))) return below;
    const shown = below.filter((kid) => state.forced.has(kid.key) || (!searching && kid.hot));
    const rest = below.length - shown.length;
    const say = searching ? `${rest} more` : `${rest} without hazards`;
    if (rest) shown.push({ key: `${node.key}/+`, kind: "more", of: node.key, say, h: node.h, hazards: [], hot: false });
    return shown;
  }

  function kids(node) {
    if (!known.has(node.key)) known.set(node.key, chosen(node));
    return known.get(node.key);
  }

  const isOpen = (node) => state.open.has(node.key) || state.forced.has(`${node.key}/`);

  function homeKey(w) {
    const path = [w];
    let [h, caller] = data.workers[w].home;
    if (h < 0) return null;
    while (caller >= 0) {
      path.push(caller);
      [h, caller] = data.workers[caller].home;
    }
    return [`h${h}`, ...path.reverse()].join("/");
  }

  function keyOfFinding(finding) {
    const index = data.hazards.findIndex((hazard) => hazard.finding === finding);
    const h = data.handovers.findIndex((handover) => handover.hazards.includes(index));
    if (h >= 0) return `h${h}`;
    const w = data.workers.findIndex((worker) => worker.hazards.includes(index));
    return w >= 0 ? homeKey(w) : null;
  }

  // What is unfolded at first, as far as the budget of nodes goes: the ways to hazards, and one level (three in a small map) of the rest.
  function openFirst() {
    let shown = order.length;
    let level = order.map(root);
    const deep = data.workers.length + order.length <= budget ? 3 : 1;
    for (let depth = 0; level.length && shown < budget; depth++) {
      const next = [];
      for (const node of level) {
        const below = kids(node);
        if (!below.length || !(node.hot || depth < deep) || shown + below.length > budget) continue;
        state.open.add(node.key);
        shown += below.length;
        next.push(...below);
      }
      level = next;
    }
  }

  function openAll() {
    known.clear();
    const level = order.map(root);
    while (level.length) {
      const below = kids(level.at(-1));
      if (below.length) state.open.add(level.at(-1).key);
      level.pop();
      level.push(...below);
    }
  }

  function foldAll() {
    state.open.clear();
    state.forced.clear();
    state.spread.clear();
  }

  function openTo(key) {
    const parts = key.split("/");
    for (let i = 1; i < parts.length; i++) state.open.add(parts.slice(0, i).join("/"));
    for (let i = 2; i <= parts.length; i++) state.forced.add(parts.slice(0, i).join("/"));
  }

  // Shows the nodes that hold all words, and the ways to them; no words, or none found: the map as it was before.
  function search(words, most) {
    state.forced.clear();
    state.spread.clear();
    state.matches = null;
    if (state.before) [state.open, state.before] = [state.before, null];
    if (!words.length) return;
    const fits = (...texts) => words.every((word) => texts.some((text) => text.toLowerCase().includes(word)));
    const codes = (hazards) => hazards.map((index) => data.hazards[index].code).join(" ");
    const keys = [];
    data.handovers.forEach((h, i) => fits(h.title, h.inside, h.at, codes(h.hazards)) && keys.push(`h${i}`));
    data.workers.forEach((w, i) => {
      const key = fits(w.name, w.at, codes(w.hazards)) && homeKey(i);
      if (key) keys.push(key);
    });
    state.matches = new Set(keys.slice(0, most));
    if (keys.length) [state.before, state.open] = [state.open, new Set()];
    for (const key of state.matches) {
      const parts = key.split("/");
      for (let i = 1; i < parts.length; i++) state.forced.add(`${parts.slice(0, i).join("/")}/`);
      for (let i = 2; i <= parts.length; i++) state.forced.add(parts.slice(0, i).join("/"));
    }
  }

  // A node stands in the row of its first child; where its next sibling is a leaf, that one moves up below it.
  function layout(row, between) {
    known.clear();
    const nodes = [];
    let used = [];
    const place = (node, depth, parent, least) => {
      const below = isOpen(node) ? kids(node) : [];
      node.count = below.length ? 0 : kids(node).length;
      node.folds = node.count > 0 || below.length > 0;
      let y = least;
      let first = node;
      for (let d = depth; first; d++) {
        y = Math.max(y, used[d] ?? 0);
        first = isOpen(first) ? kids(first)[0] : null;
      }
      Object.assign(node, { depth, parent, y });
      nodes.push(node);
      used[depth] = y + row;
      for (const kid of below) place(kid, depth + 1, node, y);
    };
    let y = 0;
    const roots = order.map(root).filter((node) => !state.matches?.size || state.matches.has(node.key) || state.forced.has(`${node.key}/`));
    for (const node of roots) {
      used = [];
      place(node, 0, null, y);
      y = Math.max(...used.filter(Boolean)) + between;
    }
    return [nodes, y];
  }

  return { state, homeKey, keyOfFinding, openFirst, openAll, foldAll, openTo, search, layout };
}
