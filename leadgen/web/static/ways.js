// Deeds with one press: a visit counts when one comes back, a share when its app opens, a film while it plays.
const REPORT_SECONDS = 10;

async function act(address, fields = {}) {
  const answer = await fetch(address, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { Accept: "application/json" },
    keepalive: true,
  });
  return answer.ok ? answer.json() : { outcome: "", said: "" };
}

function say(card, words) {
  if (!card || !words) return;
  let line = card.querySelector(".way-said");
  if (!line) {
    line = document.createElement("p");
    line.className = "way-said notice notice-success";
    line.setAttribute("role", "status");
    card.querySelector(".way-words").append(line);
  }
  line.textContent = words;
}

function showAnew(card, result) {
  say(card, result.said);
  if (result.outcome !== "done") return;
  const address = new URL(location.href);
  address.search = "";
  const lang = new URLSearchParams(location.search).get("lang");
  if (lang) address.searchParams.set("lang", lang);
  for (const [name, value] of [["act", card.id.slice(4)], ["said", result.outcome], ["points", result.points]]) {
    address.searchParams.set(name, value);
  }
  address.hash = card.id;
  location.replace(address);
}

// Visits: leaving begins, being back after the seconds ends it.
for (const link of document.querySelectorAll(".way-go")) {
  const card = link.closest(".way");
  let left = 0;
  link.hidden = false;
  link.addEventListener("click", () => {
    left = Date.now();
    act(link.dataset.act).then((result) => say(card, result.said));
  });
  document.addEventListener("visibilitychange", async () => {
    if (document.hidden || !left) return;
    const waiting = Number(link.dataset.seconds) * 1000 - (Date.now() - left);
    const result = await act(link.dataset.act, { back: "1" });
    if (result.outcome === "done") left = 0;
    showAnew(card, result);
    if (result.outcome === "too_soon" && waiting > 0) {
      // Whoever stays away no longer than needed is asked once more when the time is over.
      setTimeout(async () => showAnew(card, await act(link.dataset.act, { back: "1" })), result.seconds * 1000 + 200);
    }
  });
}

// Profiles to follow: opening one is the deed.
for (const link of document.querySelectorAll(".way-do > a[data-act]:not(.way-go)")) {
  link.addEventListener("click", async () => showAnew(link.closest(".way"), await act(link.dataset.act)));
}

// Networks: the buttons of the share kit tell the card which app was opened.
const shares = document.querySelector(".ways")?.dataset.share;
if (shares) {
  for (const link of document.querySelectorAll(".network")) {
    const name = link.dataset.ch;
    link.addEventListener("click", () => {
      for (const address of shares.split(" ")) act(address, { network: name });
    });
  }
}

// Films: reported every ten seconds while they play; the server's clock decides.
for (const film of document.querySelectorAll("video[data-act]")) {
  const card = film.closest(".way");
  const hint = film.parentElement.querySelector(".hint");
  let timer = 0;
  let isDone = false;
  const report = async () => {
    if (isDone) return;
    const result = await act(film.dataset.act);
    if (result.outcome === "done") {
      isDone = true;
      clearInterval(timer);
      say(card, result.said);
    } else if (result.outcome === "begun") {
      hint.textContent = result.said;
    }
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
  };
  film.addEventListener("playing", () => {
    if (timer || isDone) return;
    report();
    timer = setInterval(report, REPORT_SECONDS * 1000);
  });
  film.addEventListener("pause", stop);
  film.addEventListener("ended", () => {
    stop();
    report();
  });
}
