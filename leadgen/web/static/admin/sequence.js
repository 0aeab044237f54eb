// A sequence without reloading: the buttons of its steps, arrows on a step, and numbers that follow the choices.
const background = { headers: { "X-Background": "1" }, credentials: "same-origin" };
const flow = document.querySelector("[data-flow]");

async function parsed(answer) {
  if (answer.status === 401) location.reload();
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Whatever does not answer with the flow (somebody else saved meanwhile) is told by the page itself.
async function press(button) {
  const form = button.form;
  const body = new FormData(form);
  body.set("do", button.value);
  flow.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { ...background, method: "POST", body });
    if (answer.redirected || !answer.ok) return location.reload();
    flow.replaceChildren(...(await parsed(answer)).body.childNodes);
    dress();
    const again = [...flow.querySelectorAll("button")].find((one) => one.value === button.value);
    const step = button.value.split(":")[1];
    const card = flow.querySelector(`[data-step="${CSS.escape(step)}"]`);
    card?.scrollIntoView({ block: "nearest" });
    (again && !again.disabled ? again : card)?.focus({ preventScroll: true });
  } finally {
    flow.removeAttribute("aria-busy");
  }
}

function dress() {
  for (const card of flow.querySelectorAll("[data-step]")) card.tabIndex = -1;
  for (const one of flow.querySelectorAll("[data-keys]")) one.hidden = false;
}

if (flow) {
  flow.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=do]");
    if (!button || !/^(up|down|duplicate):/.test(button.value)) return; // all else opens a page or tells something
    event.preventDefault();
    press(button);
  });
  flow.addEventListener("keydown", (event) => {
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    const card = event.target.closest("[data-step]");
    if (event.key === "Escape") event.target.closest("details[open]")?.removeAttribute("open");
    if (!way || !event.altKey || !card) return;
    event.preventDefault();
    const button = [...card.querySelectorAll("button[name=do]")].find((one) => one.value.startsWith(`${way}:`));
    if (button && !button.disabled) press(button);
  });
  // One menu at a time.
  flow.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    for (const one of flow.querySelectorAll("details[open].flow-add")) if (one !== event.target) one.open = false;
  }, true);
  dress();
}

// What the choices of a dialog come to.
for (const form of document.querySelectorAll("[data-choices]")) {
  const target = form.querySelector("[data-choices-into]");
  let timer;
  let latest = 0;
  for (const one of form.querySelectorAll("[data-without-script]")) one.hidden = true;
  const count = async () => {
    const mine = ++latest;
    const body = new FormData(form);
    body.set("then", "count");
    const page = await parsed(await fetch(form.action, { ...background, method: "POST", body }));
    if (mine === latest) target.replaceChildren(...page.body.childNodes);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(count, 250);
  });
}
