// The queue of works by keyboard: J and K go from work to work, A accepts, R refuses, X ticks.
const form = document.querySelector("[data-works]");

if (form) {
  const works = [...form.querySelectorAll(".work")];
  const all = form.querySelector("[data-all]");
  const boxes = works.map((work) => work.querySelector("input[name=work]"));
  form.querySelectorAll(".works-all, .works-keys").forEach((part) => (part.hidden = false));
  all.addEventListener("change", () => boxes.forEach((box) => (box.checked = all.checked)));

  const here = () => works.find((work) => work.contains(document.activeElement));
  const go = (step) => {
    const place = works.indexOf(here());
    const next = works[place < 0 ? 0 : Math.min(works.length - 1, Math.max(0, place + step))];
    next.focus();
    next.scrollIntoView({ block: "start" });
  };
  const deeds = {
    j: () => go(1),
    k: () => go(-1),
    a: () => (here() ?? works[0]).querySelector("[data-accept]")?.click(),
    r: () => {
      const refuse = (here() ?? works[0]).querySelector("[data-refuse]");
      refuse.open = true;
      refuse.querySelector("select").focus();
    },
    x: () => (here() ?? works[0]).querySelector("input[name=work]").click(),
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input:not([type=checkbox]), select, textarea, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !deeds[event.key]) return;
    event.preventDefault();
    deeds[event.key]();
  });
}
