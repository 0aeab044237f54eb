// While a person waits: the button for another mail counts down, and the page hears when a mail was refused.
const button = document.querySelector("[data-resend]");

if (button) {
  let left = Number(button.dataset.resend);
  const hint = document.getElementById("resend-hint");
  if (hint) hint.hidden = true;
  const show = () => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.wait.replace("%(seconds)s", left) : button.dataset.now;
    if (left <= 0) clearInterval(timer);
    left -= 1;
  };
  const timer = setInterval(show, 1000);
  show();
}

const page = document.querySelector("[data-status]");
let pause = 4000;

async function ask() {
  try {
    const answer = await fetch(page.dataset.status, { cache: "no-store" });
    const { status } = await answer.json();
    if (status !== "waiting" && status !== page.dataset.shown) {
      location.assign(page.dataset.done);
      return;
    }
  } catch {
    // away for a moment: ask again later
  }
  pause = Math.min(pause * 1.3, 60000);
  setTimeout(ask, pause);
}

if (page && page.dataset.shown !== "bounced") setTimeout(ask, pause);
