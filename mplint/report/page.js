"use strict";
(() => {
  const articles = [...document.querySelectorAll("article")];
  const files = [...document.querySelectorAll(".file")];
  const boxes = [...document.querySelectorAll("aside input")];
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const clear = document.getElementById("clear");
  const none = document.getElementById("none");
  const map = window.mplintMap;
  const texts = new Map();
  const textOf = (article) => {
    if (!texts.has(article)) {
      texts.set(article, `${article.dataset.file} ${article.textContent}`.toLowerCase());
    }
    return texts.get(article);
  };
  const chosen = (kind) => new Set(boxes.filter((box) => box.checked && box.dataset[kind] !== undefined).map((box) => box.dataset[kind]));
  const words = () => search.value.toLowerCase().split(/\s+/).filter(Boolean);

  function filter() {
    const rules = chosen("rule"), paths = chosen("file"), asked = words();
    const hidden = new Set();
    for (const article of articles) {
      const fits = (!rules.size || rules.has(article.dataset.code)) && (!paths.size || paths.has(article.dataset.file))
        && asked.every((word) => textOf(article).includes(word));
      article.hidden = !fits;
      if (!fits) hidden.add(Number(article.id.slice(1)));
    }
    for (const file of files) file.hidden = !file.querySelector("article:not([hidden])");
    const count = articles.length - hidden.size;
    if (shown) shown.textContent = hidden.size ? `${count} of ${articles.length} shown` : "";
    if (clear) clear.hidden = !hidden.size;
    if (none) none.hidden = count > 0;
    map?.hide(hidden);
  }

  function reset() {
    for (const box of boxes) box.checked = false;
    search.value = "";
    map?.search([]);
    filter();
  }

  function go(article) {
    if (!article) return;
    if (article.hidden) reset();
    article.scrollIntoView({ block: "start" });
    requestAnimationFrame(() => article.scrollIntoView({ block: "start" }));
    article.classList.remove("flash");
    void article.offsetWidth;
    article.classList.add("flash");
  }

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      map?.search(words());
      filter();
    }, 120);
  });
  for (const box of boxes) box.addEventListener("change", filter);
  clear?.addEventListener("click", reset);

  for (const article of articles) {
    const number = Number(article.id.slice(1));
    if (!map?.placed.has(number)) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet tomap";
    button.textContent = "on the map";
    button.addEventListener("click", () => map.reveal(number));
    article.querySelector("header").append(button);
  }

  const target = () => {
    const named = document.getElementById(location.hash.slice(1));
    if (named?.matches("details.rule")) {
      named.open = true;
      named.scrollIntoView({ block: "start" });
    }
    go(named?.closest("article"));
  };
  addEventListener("hashchange", target);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.getAttribute("href") === location.hash) target();
  });
  if (location.hash.length > 1) target();

  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("mplint-theme", root.dataset.theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") {
        if (search.value) reset();
        search.blur();
      }
      return;
    }
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "j" || event.key === "k") {
      const visible = articles.filter((article) => !article.hidden);
      const top = (article) => article.getBoundingClientRect().top;
      const edge = 120;
      const next = event.key === "j" ? visible.find((article) => top(article) > edge) : visible.filter((article) => top(article) < edge - 20).pop();
      go(next);
    }
  });
})();
