// The review desk by keyboard: J and K move, space ticks, Enter opens, A, H and X decide. It works without this too.
const rows = [...document.querySelectorAll("[data-review] tbody tr")];
let place = -1;

for (const every of document.querySelectorAll("[data-all]")) {
  every.addEventListener("change", () => {
    for (const box of every.closest("form").querySelectorAll("[name=entry][type=checkbox]")) box.checked = every.checked;
  });
}

function move(by) {
  if (!rows.length) return;
  place = Math.min(rows.length - 1, Math.max(0, place + by));
  rows[place].querySelector("a").focus();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  const key = event.key.toLowerCase();
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === " " && place >= 0) {
    event.preventDefault();
    const box = rows[place].querySelector("[name=entry]");
    box.checked = !box.checked;
  } else {
    const button = document.querySelector(`[data-review] [data-key="${CSS.escape(key)}"]`);
    if (!button) return;
    const form = button.form;
    if (rows.length && place >= 0 && !form.querySelector("[name=entry]:checked")) rows[place].querySelector("[name=entry]").checked = true;
    const reason = form.elements.reason;
    if (!reason.value) return reason.focus(); // a decision needs its reason first
    form.requestSubmit(button);
  }
});
