// The studio works without a script; this makes it smoother. One module, no dependency.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const background = { headers: { "X-Background": "1" }, credentials: "same-origin" };

async function part(address) {
  const answer = await fetch(address, background);
  if (answer.status === 401) throw new Ended();
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...page.body.childNodes];
}

class Ended extends Error {}

// Errors first: who sent a form that came back is taken to what needs another look.
one("[data-focus]")?.focus();

// The rail on phones.
const toggle = one("[data-rail]");
if (toggle) {
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") !== "true"));
  });
}

// The tab that is open stays in sight on a narrow screen.
one(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Figures that refresh themselves while somebody looks.
const live = one("[data-live]");
if (live) {
  const every = Number(live.dataset.every) || 5000;
  const state = () => one("[data-status]", live)?.dataset.status;
  const first = state();
  const refresh = async () => {
    if (!document.hidden && !live.contains(document.activeElement)) {
      const open = all("details[open]", live).map((details) => details.id);
      try {
        live.replaceChildren(...(await part(live.dataset.live)));
        open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
        if (state() !== first) return location.reload(); // what may be done with it has changed
        say(one("[data-say]", live)?.textContent);
      } catch (error) {
        if (error instanceof Ended) return ended();
      }
    }
    setTimeout(refresh, every);
  };
  const said = one("[data-said]");
  const say = (words) => said && words && said.textContent !== words && (said.textContent = words);
  const ended = () => {
    const told = document.createElement("p");
    const again = document.createElement("a");
    told.className = "flash flash-danger";
    told.setAttribute("role", "alert");
    again.href = live.dataset.signIn;
    again.textContent = live.dataset.again;
    told.append(`${live.dataset.ended} `, again);
    live.before(told);
  };
  setTimeout(refresh, every);
}

// Search as you type.
for (const form of all("[data-search]")) {
  const target = one(form.dataset.search);
  let timer;
  let latest = 0;
  const search = async () => {
    const address = `${location.pathname}?${new URLSearchParams(new FormData(form))}`;
    const mine = ++latest;
    try {
      const found = await part(address);
      if (mine !== latest) return;
      target.replaceChildren(...found);
      history.replaceState(null, "", address);
    } catch (error) {
      if (error instanceof Ended) location.reload();
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 200);
  });
}

// Nobody loses what was typed.
for (const form of all("[data-guard]")) {
  let dirty = false;
  form.addEventListener("input", () => (dirty = true));
  form.addEventListener("change", () => (dirty = true));
  form.addEventListener("submit", (event) => (dirty = dirty && Boolean(event.submitter?.formTarget)));
  addEventListener("beforeunload", (event) => dirty && event.preventDefault());
  if (form.dataset.save) saveQuietly(form, () => (dirty = false));
}

// A letter's frame is sandboxed and can only be given its address once more.
function again(frame) {
  try {
    frame.contentWindow.location.reload();
  } catch {
    frame.src = frame.getAttribute("src");
  }
}

// A file is sent when the button is pressed, once; a draft that saves itself leaves it where it is.
function withoutFiles(form) {
  const sent = new FormData(form);
  for (const field of all("[type=file]", form)) sent.delete(field.name);
  return sent;
}

// A draft saves itself; a public page is saved by hand, so that nobody publishes half a sentence.
function saveQuietly(form, saved) {
  const state = one("[data-save-state]", form);
  let timer;
  const save = async () => {
    try {
      const answer = await fetch(form.action, { ...background, method: "POST", body: withoutFiles(form) });
      if (answer.status !== 204) return;
      form.elements.version.value = answer.headers.get("X-Version");
      state.textContent = form.dataset.saved;
      saved();
      for (const frame of all("[data-preview]")) again(frame);
    } catch {
      state.textContent = form.dataset.unsaved;
    }
  };
  let saving = Promise.resolve();
  form.addEventListener("input", () => {
    state.textContent = form.dataset.unsaved;
    clearTimeout(timer);
    timer = setTimeout(() => (saving = save()), 1200);
  });
  // Whoever presses the button while a draft saves itself must not meet their own version as somebody else's.
  form.addEventListener("submit", async (event) => {
    if (form.dataset.isSettled) return;
    event.preventDefault();
    clearTimeout(timer);
    await saving;
    form.dataset.isSettled = "1";
    form.requestSubmit(event.submitter);
  });
}

// How many people an audience holds, counted while one chooses.
for (const form of all("[data-count]")) {
  const target = one(form.dataset.countInto);
  let timer;
  let latest = 0;
  const count = async () => {
    const mine = ++latest;
    const asked = new URLSearchParams();
    for (const name of ["speaks_en", "speaks_fr", "friends", "answer", "segment"])
      for (const value of new FormData(form).getAll(name)) asked.append(name, value);
    try {
      const found = await part(`${form.dataset.count}?${asked}`);
      if (mine === latest) target.replaceChildren(...found);
    } catch (error) {
      if (error instanceof Ended) location.reload();
    }
  };
  form.addEventListener("input", (event) => {
    if (event.target.lang || event.target.closest("[lang]") !== form.closest("[lang]")) return; // words choose nobody
    clearTimeout(timer);
    timer = setTimeout(count, 250);
  });
}

// Placeholders are put in where one writes.
for (const chips of all("[data-chips]")) {
  const words = chips.closest("fieldset");
  let place = one("textarea", words);
  chips.hidden = false;
  words.addEventListener("focusin", (event) => {
    if (event.target.matches("input, textarea")) place = event.target;
  });
  chips.addEventListener("click", (event) => {
    if (!event.target.value) return;
    place.setRangeText(event.target.value, place.selectionStart, place.selectionEnd, "end");
    place.focus();
    place.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// The preview's width and language.
const knobs = one("[data-preview-switch]");
if (knobs) {
  const frame = one("[data-preview]");
  const fit = () => frame.parentElement.style.setProperty("--scale", frame.parentElement.clientWidth / 1280);
  addEventListener("resize", fit);
  fit();
  knobs.addEventListener("change", () => {
    const chosen = new FormData(knobs);
    frame.parentElement.dataset.width = chosen.get("width");
    const address = `${frame.dataset.address}?lang=${chosen.get("lang")}`;
    if (!frame.src.endsWith(address)) frame.src = address;
  });
}

// A letter's preview follows its switches and what is typed.
for (const show of all("[data-show]")) {
  let timer;
  show.hidden = true;
  addEventListener("input", (event) => {
    if (event.target.form !== show.form) return;
    clearTimeout(timer);
    timer = setTimeout(() => show.form.requestSubmit(show), event.target.closest("[data-switch]") ? 0 : 700);
  });
}

// Placeholders go where the cursor was.
const insertable = one("[data-placeholders]");
if (insertable) {
  let field = one("textarea", insertable.closest("form"));
  addEventListener("focusin", (event) => {
    if (event.target.matches(".language input, .language textarea")) field = event.target;
  });
  for (const button of all("[data-insert]", insertable)) {
    button.hidden = false;
    button.addEventListener("click", () => {
      field.focus();
      field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

// Something to copy, with a word that it was; also in parts of the page that come later.
const copyable = (root) => {
  if (navigator.clipboard) for (const button of all("[data-copy]", root)) button.hidden = false;
};
copyable(document);
new MutationObserver(() => copyable(document)).observe(one("main") ?? document.body, { childList: true, subtree: true });
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const words = [...button.childNodes];
  button.textContent = button.dataset.done;
  setTimeout(() => button.replaceChildren(...words), 2000);
});

// ⌘K: go anywhere.
const palette = one("#palette");
if (palette?.showModal) {
  const button = one("[data-palette]");
  const text = one(".palette-text", palette);
  const list = one(".palette-list", palette);
  let places;
  let chosen = 0;
  const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const show = () => {
    if (!places) return; // who types faster than the list comes sees it as soon as it is there
    const wanted = plain(text.value).split(/\s+/);
    const found = places.filter((place) => wanted.every((word) => plain(place.name).includes(word))).slice(0, 30);
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    list.replaceChildren(
      ...(found.length ? found : [{ name: list.dataset.none }]).map((place, number) => {
        const item = document.createElement("li");
        item.id = `palette-${number}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(Boolean(place.to) && number === chosen));
        item.textContent = place.name;
        if (place.to) item.dataset.to = place.to;
        return item;
      }),
    );
    text.setAttribute("aria-activedescendant", found.length ? `palette-${chosen}` : "");
    one("[aria-selected=true]", list)?.scrollIntoView({ block: "nearest" });
  };
  const open = async () => {
    if (palette.open) return;
    palette.showModal();
    text.value = "";
    chosen = 0;
    try {
      places ??= await (await fetch(palette.dataset.source, background)).json();
      show();
    } catch {
      palette.close();
    }
  };
  const go = (item) => item?.dataset.to && location.assign(item.dataset.to);
  button.hidden = false;
  if (!/Mac|iP(hone|ad)/.test(navigator.platform)) one("kbd", button).textContent = "Ctrl K";
  button.addEventListener("click", open);
  addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  text.addEventListener("input", () => {
    chosen = 0;
    show();
  });
  text.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      chosen = Math.max(0, Math.min(list.children.length - 1, chosen + step));
      show();
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(one("[aria-selected=true]", list));
    }
  });
  list.addEventListener("click", (event) => go(event.target.closest("li")));
  palette.addEventListener("click", (event) => event.target === palette && palette.close());
}
