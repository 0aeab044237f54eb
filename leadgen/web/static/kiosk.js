// A tablet that many people use: waits for a connection instead of losing a form, and empties itself.
const IDLE = 90_000; // then it asks whether anybody is there
const LEFT = 30_000; // and then it empties
const FRESH = 15 * 60_000; // an idle page is loaded anew, so that its form never gets too old
const DONE = 10_000;
const AGAIN = 5_000;

const again = () => location.replace(document.body.dataset.again);
const offline = document.querySelector("[data-offline]");
const still = document.querySelector("[data-still]");
const form = document.querySelector(".entry form");

async function isConnected() {
  try {
    await fetch(location.href, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(AGAIN) });
    return true;
  } catch {
    return false;
  }
}

if ("done" in document.body.dataset) setTimeout(async () => ((await isConnected()) ? again() : setTimeout(again, DONE)), DONE);

addEventListener("offline", () => (offline.hidden = false));
addEventListener("online", () => (offline.hidden = true));

if (form) {
  let mayGo = false;
  let isWaiting = false;
  form.addEventListener("submit", async (event) => {
    if (mayGo) return;
    event.preventDefault();
    if (isWaiting) return;
    isWaiting = true;
    while (!(await isConnected())) {
      offline.hidden = false;
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
    offline.hidden = true;
    mayGo = true;
    form.requestSubmit(event.submitter);
  });

  let timer;
  const isTyped = () => [...form.elements].some((field) => /^(email|text)$/.test(field.type) && field.value);
  const ask = () => {
    if (isWaiting) return watch();
    if (!isTyped()) return (timer = setTimeout(leave, FRESH));
    still.hidden = false;
    still.querySelector("[data-here]").focus();
    timer = setTimeout(leave, LEFT);
  };
  const leave = async () => {
    form.reset();
    still.hidden = true;
    if (await isConnected()) again();
    else watch();
  };
  const watch = () => {
    clearTimeout(timer);
    still.hidden = true;
    timer = setTimeout(ask, IDLE);
  };
  for (const deed of ["pointerdown", "keydown", "input"]) addEventListener(deed, watch, { passive: true });
  watch();
}

const full = document.querySelector("[data-full]");
if (document.fullscreenEnabled) {
  full.hidden = false;
  full.addEventListener("click", () => document.documentElement.requestFullscreen());
}
addEventListener("pointerdown", () => navigator.wakeLock?.request("screen").catch(() => {}), { once: true });
