"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const canvas = document.getElementById("canvas");
  if (!canvas) return;

  const ROW = 52, HALF = 21, PAD = 16, GAP = 48, CORNER = 7, MOST = 160;
  const ROLES = { initializer: "initializer", target: "target", run: "body of the process" };
  const tree = workerTree(data, innerWidth < 700 ? 0 : MOST);
  const state = tree.state;
  const elements = new Map();
  let hidden = new Set();
  const stage = document.createElement("div");
  stage.className = "stage";
  const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  lines.setAttribute("aria-hidden", "true");
  stage.append(lines);
  canvas.append(stage);

  function span(name, text) {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  }

  function at(place) {
    const tail = place.length > 46 ? place.slice(-44) : place;
    return span("at", tail === place ? place : `…${tail.slice(Math.max(0, tail.indexOf("/")))}`);
  }

  function fill(box, node) {
    const top = span("top", ""), below = span("sub", "");
    box.replaceChildren(top);
    if (node.kind === "more") {
      top.append(span("label", node.say));
    } else if (node.kind === "open") {
      top.append(span("label", "more, not resolved"));
      box.title = "A callable here could not be resolved; mplint --show-unknown tells why.";
    } else if (node.kind === "hand") {
      const h = data.handovers[node.h];
      top.append(span("label", h.title), ...h.how.map((how) => span("how", how)));
      if (h.inside) below.append(span("in", `in ${h.inside}`));
      below.append(at(h.at));
      box.title = `${h.title} at ${h.at}`;
    } else {
      const worker = data.workers[node.w];
      top.append(span("label", worker.name));
      if (ROLES[node.role]) top.append(span("how", ROLES[node.role]));
      if (node.kind === "ref") top.append(span("jump", "↗"));
      below.append(at(worker.at));
      box.title = node.kind === "ref" ? `${worker.name} at ${worker.at}: shown where the fewest calls lead to it` : `${worker.name} at ${worker.at}`;
    }
    if (below.childNodes.length) box.append(below);
    const counts = new Map();
    for (const index of node.hazards) {
      const hazard = data.hazards[index];
      const same = counts.get(hazard.code) ?? { ...hazard, all: [] };
      same.all.push(hazard);
      counts.set(hazard.code, same);
    }
    for (const hazard of counts.values()) {
      const visible = hazard.all.filter((one) => !hidden.has(one.finding));
      const badge = document.createElement("a");
      badge.className = `badge ${hazard.severity}${visible.length ? "" : " off"}`;
      badge.href = `#f${(visible[0] ?? hazard.all[0]).finding}`;
      badge.textContent = hazard.all.length > 1 ? `${hazard.code} ×${hazard.all.length}` : hazard.code;
      badge.title = hazard.all.map((one) => one.message).join("\n");
      top.append(badge);
    }
    if (node.folds) box.append(span("fold", node.count ? `+${node.count}` : "−"));
  }

  function draw() {
    const [nodes, height] = tree.layout(ROW, 8);
    const seen = new Set();
    for (const node of nodes) {
      let box = elements.get(node.key);
      if (!box) {
        box = document.createElement("div");
        box.tabIndex = 0;
        box.setAttribute("role", "treeitem");
        box.addEventListener("click", (event) => event.target.closest("a") || act(box.node));
        box.addEventListener("keydown", (event) => {
          if (event.target !== box || !key(box.node, event.key)) return;
          event.preventDefault();
          event.stopPropagation();
        });
        elements.set(node.key, box);
        stage.append(box);
      }
      const fresh = !box.node;
      box.node = node;
      node.box = box;
      const found = state.matches?.has(node.key);
      box.className = `node ${node.kind}${node.hot ? " hot" : ""}${found ? " match" : ""}${fresh ? " fresh" : ""}`;
      if (node.folds) box.setAttribute("aria-expanded", String(!node.count));
      else box.removeAttribute("aria-expanded");
      box.setAttribute("aria-level", String(node.depth + 1));
      fill(box, node);
      seen.add(node.key);
    }
    for (const [key, box] of elements) {
      if (!seen.has(key)) {
        box.remove();
        elements.delete(key);
      }
    }
    stage.classList.toggle("searching", Boolean(state.matches?.size));
    const widths = [];
    for (const node of nodes) {
      node.width = node.box.offsetWidth;
      widths[node.depth] = Math.max(widths[node.depth] ?? 0, node.width);
    }
    const columns = [PAD];
    widths.forEach((wide, depth) => columns.push(columns[depth] + wide + GAP));
    const paths = { cool: [], hot: [] };
    for (const node of nodes) {
      node.x = columns[node.depth];
      const top = node.y + PAD;
      node.box.style.transform = `translate(${node.x}px, ${top}px)`;
      if (!node.parent) continue;
      const from = node.parent.x + node.parent.width, start = node.parent.y + PAD + HALF, end = top + HALF;
      const turn = node.x - GAP / 2;
      const bend = start === end
        ? `M${from} ${start}H${node.x}`
        : `M${from} ${start}H${turn - CORNER}Q${turn} ${start} ${turn} ${start + CORNER}V${end - CORNER}Q${turn} ${end} ${turn + CORNER} ${end}H${node.x}`;
      paths[node.hot ? "hot" : "cool"].push(bend);
    }
    const wide = columns[columns.length - 1] - GAP + PAD;
    stage.style.width = `${wide}px`;
    stage.style.height = `${height + PAD}px`;
    lines.setAttribute("width", wide);
    lines.setAttribute("height", height + PAD);
    lines.innerHTML = `<path class="cool" d="${paths.cool.join("")}"/><path class="hot" d="${paths.hot.join("")}"/>`;
  }

  function act(node) {
    if (node.kind === "more") state.spread.add(node.of);
    else if (node.kind === "ref") return reveal(tree.homeKey(node.w));
    else if (!node.folds) return;
    else if (node.count) state.open.add(node.key);
    else {
      state.open.delete(node.key);
      state.forced.delete(`${node.key}/`);
    }
    draw();
    elements.get(node.key)?.focus({ preventScroll: true });
  }

  function key(node, pressed) {
    const folded = node.count > 0;
    if (pressed === "Enter" || pressed === " ") act(node);
    else if (pressed === "ArrowRight" && folded) act(node);
    else if (pressed === "ArrowLeft" && node.folds && !folded) act(node);
    else if (pressed === "ArrowLeft" && node.parent) elements.get(node.parent.key)?.focus();
    else if (pressed === "ArrowDown" || pressed === "ArrowUp") {
      const boxes = [...elements.values()].sort((a, b) => a.node.y - b.node.y || a.node.depth - b.node.depth);
      boxes[boxes.indexOf(node.box) + (pressed === "ArrowDown" ? 1 : -1)]?.focus();
    } else return false;
    return true;
  }

  function reveal(key) {
    if (!key) return;
    tree.openTo(key);
    draw();
    const box = elements.get(key);
    if (!box) return;
    const { x, y } = box.node;
    canvas.scrollTo({ left: Math.max(0, x - canvas.clientWidth / 3), top: Math.max(0, y - canvas.clientHeight / 2), behavior: "smooth" });
    box.classList.remove("flash");
    void box.offsetWidth;
    box.classList.add("flash");
    box.focus({ preventScroll: true });
  }

  const placed = new Set();
  for (const { hazards } of [...data.handovers, ...data.workers]) for (const index of hazards) placed.add(data.hazards[index].finding);

  window.mplintMap = {
    placed,
    reveal: (finding) => {
      document.getElementById("map").scrollIntoView({ block: "start", behavior: "smooth" });
      reveal(tree.keyOfFinding(finding));
    },
    hide: (findings) => {
      hidden = findings;
      draw();
    },
    search: (words) => {
      tree.search(words, MOST);
      draw();
      const first = [...elements.values()].filter((box) => box.classList.contains("match")).sort((a, b) => a.node.y - b.node.y)[0];
      if (first) canvas.scrollTo({ top: Math.max(0, first.node.y - 60), left: Math.max(0, first.node.x - canvas.clientWidth / 3) });
      return state.matches?.size ?? 0;
    },
  };

  document.getElementById("map-quiet").checked = state.quiet;
  document.getElementById("map-quiet").addEventListener("change", (event) => {
    state.quiet = event.target.checked;
    draw();
  });
  document.getElementById("map-fold").addEventListener("click", () => {
    tree.foldAll();
    draw();
  });
  document.getElementById("map-unfold").addEventListener("click", () => {
    tree.openAll();
    draw();
  });
  document.getElementById("map-tall").addEventListener("click", (event) => {
    const tall = canvas.classList.toggle("tall");
    event.target.textContent = tall ? "Lower" : "Taller";
  });
  tree.openFirst();
  draw();
  document.fonts?.ready.then(draw);
})();
