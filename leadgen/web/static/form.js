// Twin of leadgen/forms/flow.py: the way through a form by what is answered and known. The server's word counts; this
// one shows and hides fields while somebody answers. Both pass tests/vectors/forms.json.
import { holds } from "./logic.js";

export function walk(definition, answers, known) {
  const scope = Object.fromEntries(Object.entries(known).map(([name, value]) => [`known.${name}`, value]));
  const values = {};
  const has = (key) => Object.hasOwn(answers, key) && answers[key] !== null;
  const take = (key) => {
    scope[key] = answers[key];
    values[key] = answers[key];
  };
  const pages = definition.pages;
  for (const page of pages) {
    for (const field of page.fields) if (field.type === "hidden" && Object.hasOwn(answers, field.key)) take(field.key);
  }
  const stops = [];
  for (let place = 0; place < pages.length; ) {
    const page = pages[place];
    const shown = [];
    for (const field of page.fields) {
      if ((field.ask_at || "after_confirm") !== "after_confirm" || field.type === "hidden") continue;
      if (field.show && !holds(field.show, scope)) continue;
      shown.push(field);
      if (has(field.key)) take(field.key);
    }
    if (shown.length) {
      const isRequired = (field) =>
        field.type !== "statement" &&
        field.type !== "consent" &&
        Boolean(field.is_required || (field.require && holds(field.require, scope)));
      const required = shown.filter(isRequired).map((field) => field.key);
      stops.push({ page: page.id, fields: shown.map((field) => field.key), required: required.sort() });
    }
    place = following(pages, place, scope);
  }
  return { stops, values };
}

function following(pages, place, scope) {
  for (const jump of pages[place].jumps || []) {
    if (!holds(jump.when, scope)) continue;
    if (jump.to === "end") return pages.length;
    const target = pages.findIndex((page) => page.id === jump.to);
    return Math.max(target, place + 1);
  }
  return place + 1;
}
