// The builder of a segment without reloading: the same buttons and the same form, whose answer replaces a part of the page.
const form = document.querySelector("[data-builder]");
const parts = form.querySelector("[data-builder-parts]");
let latest = 0;
let timer;

const hide = () => parts.querySelectorAll("[data-without-script]").forEach((one) => (one.hidden = true));

async function ask(deed) {
  const mine = ++latest;
  clearTimeout(timer);
  const body = new FormData(form);
  body.set("do", deed);
  const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Background": "1" }, credentials: "same-origin" });
  if (answer.status === 401) location.reload();
  if (mine !== latest || !answer.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// A page that says more than its conditions (how long a step waits) has its other sentences told anew too.
function retold(page) {
  for (const said of page.querySelectorAll("[data-told]")) document.getElementById(said.id)?.replaceWith(said);
}

async function redraw(deed, focused) {
  const page = await ask(deed);
  if (!page) return;
  retold(page);
  parts.replaceChildren(...page.body.childNodes);
  hide();
  (focused() ?? parts.querySelector("#add-set"))?.focus();
}

// What is only typed changes the sentence and the number, and leaves the fields alone.
async function told() {
  const page = await ask("show");
  if (!page) return;
  retold(page);
  parts.querySelector("#segment-said").replaceWith(page.querySelector("#segment-said"));
}

const last = (selector) => [...parts.querySelectorAll(selector)].at(-1);

function place(deed) {
  const [name, set] = deed.split(":");
  if (name === "row") return () => last(`[id^="set-${CSS.escape(set)}-row-"][id$="-field"]`);
  if (name === "drop") return () => parts.querySelector(`#row-${CSS.escape(set)}`);
  if (name === "set") return () => last('[id$="-field"]');
  return () => parts.querySelector("#add-set");
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=do]");
  if (!button || button.value === "save") return;
  event.preventDefault();
  redraw(button.value, place(button.value));
});

// Keys choose in a list letter by letter: the row is drawn anew when they rest, or when Tab leaves the list.
let waiting;
const chosen = (focused) => {
  clearTimeout(waiting);
  waiting = undefined;
  redraw("show", focused);
};

form.addEventListener("change", (event) => {
  if (!event.target.matches("[data-redraw]")) return;
  const id = event.target.id;
  clearTimeout(waiting);
  waiting = setTimeout(() => chosen(() => document.getElementById(id)), 400);
});

form.addEventListener("keydown", (event) => {
  if (event.key !== "Tab" || event.shiftKey || !waiting || !event.target.matches("[data-redraw]")) return;
  event.preventDefault();
  const id = event.target.id;
  chosen(() => {
    const row = document.getElementById(id)?.closest(".segment-row");
    const stops = row ? [...row.querySelectorAll("select, input, button")] : [];
    return stops[stops.findIndex((one) => one.id === id) + 1];
  });
});

form.addEventListener("input", (event) => {
  if (event.target.matches("[data-redraw], #name, #description") || event.target.closest("fieldset[lang]")) return;
  clearTimeout(timer);
  timer = setTimeout(told, 350);
});

hide();
