// Shows and hides the fields of a page of the form while it is filled in. Without it the server does so, page by page.
import { walk } from "./form.js";

const form = document.getElementById("form");
const data = JSON.parse(document.getElementById("form-data").textContent);
const page = data.definition.pages.find((one) => one.id === data.page);
const fields = new Map(page.fields.map((field) => [field.key, field]));

// A typed answer as the server would understand it; undefined for what it would refuse.
function understood(field, raw) {
  const given = raw.filter((one) => one.trim());
  if (!given.length) return undefined;
  switch (field.type) {
    case "yes_no":
    case "consent":
      return given[0] === "yes";
    case "number":
    case "range":
    case "rating":
    case "nps": {
      const number = Number(given[0].replace(/[\s\u00a0\u202f]/g, "").replace(",", "."));
      return Number.isNaN(number) ? undefined : number;
    }
    case "multi":
      return [...given].sort();
    case "ranking":
      return given.map((one) => one.slice(one.indexOf(":") + 1));
    default:
      return given[0].trim();
  }
}

function look() {
  const answers = { ...data.answers };
  for (const box of form.querySelectorAll(".form-field")) {
    const field = fields.get(box.dataset.key);
    const controls = [...box.querySelectorAll("input, select, textarea")].filter((one) => one.name === field.key);
    const raw = controls.filter((one) => !/radio|checkbox/.test(one.type) || one.checked).map((one) => one.value);
    const value = understood(field, raw);
    if (value === undefined) delete answers[field.key];
    else answers[field.key] = value;
  }
  const stop = walk(data.definition, answers, data.known).stops.find((one) => one.page === data.page);
  const shown = new Set(stop ? stop.fields : []);
  for (const box of form.querySelectorAll(".form-field")) {
    box.hidden = box.disabled = !shown.has(box.dataset.key);
  }
}

form.addEventListener("input", look);
addEventListener("pageshow", look);
look();
document.getElementById("problems")?.focus();
