// The landing page works without this: it keeps the countdown fresh, speaks up after a field is left, and tells that
// somebody looked at an invitation.
const countdown = document.querySelector(".countdown");

function refresh() {
  const minutes = Math.max(0, Math.floor((new Date(countdown.dataset.until) - Date.now()) / 60000));
  const parts = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  countdown.querySelectorAll("li").forEach((item, index) => {
    const unit = item.querySelector("small");
    item.querySelector("span").textContent = String(parts[index]).padStart(2, "0");
    unit.textContent = parts[index] === 1 ? unit.dataset.one : unit.dataset.many;
  });
}

if (countdown) setInterval(refresh, 10000);

const form = document.querySelector(".entry form");
if (form) {
  form.elements.tz.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  for (const field of form.querySelectorAll("[data-missing]")) {
    field.addEventListener("blur", () => check(field));
    field.addEventListener("input", () => field.hasAttribute("aria-invalid") && check(field));
  }
}

function check(field) {
  const value = field.value.trim();
  const isWrong = field.type === "email" && value && !/^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(value);
  if (!value && !field.hasAttribute("aria-invalid")) return; // leaving an untouched field is no mistake
  say(field, value ? (isWrong ? field.dataset.wrong : "") : field.dataset.missing);
}

function say(field, sentence) {
  const id = `${field.id}-error`;
  let error = document.getElementById(id);
  if (!sentence) {
    error?.remove();
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    return;
  }
  if (!error) {
    error = document.createElement("p");
    error.id = id;
    error.className = "field-error";
    field.before(error);
  }
  error.textContent = sentence;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", id);
}

// An invitation counts as opened by a person once the page was in view for a second, or somebody touched it. Browsers
// that are driven by a program say so themselves.
const ref = new URLSearchParams(location.search).get("ref");
if (ref && navigator.sendBeacon && !navigator.webdriver) {
  const heard = new AbortController();
  let timer;
  const inView = () => document.visibilityState === "visible" && !document.prerendering;
  const tell = () => {
    if (!inView() || heard.signal.aborted) return;
    heard.abort();
    clearTimeout(timer);
    navigator.sendBeacon(`${location.pathname}/seen`, new URLSearchParams({ ref }));
  };
  const wait = () => {
    clearTimeout(timer);
    if (inView()) timer = setTimeout(tell, 1000);
  };
  for (const deed of ["pointerdown", "keydown", "touchstart"]) {
    addEventListener(deed, tell, { passive: true, signal: heard.signal });
  }
  document.addEventListener("visibilitychange", wait, { signal: heard.signal });
  document.addEventListener("prerenderingchange", wait, { signal: heard.signal });
  wait();
}
