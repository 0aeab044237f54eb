// Shows each sharing text as it will look while it is typed, and how much room is left in its network.
const PLAIN = /^[\w @£$¥èéùìòÇ\n\rØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~\]|€]*$/;

function filled(text, sample, hasLink) {
  let words = hasLink && !text.includes("{link}") ? `${text.trimEnd()} {link}` : text;
  const before = words.split("{prize}", 1)[0].trimEnd();
  const prize = before && !/[.!?…:]$/.test(before) ? sample.prize_inside : sample.prize;
  for (const [name, value] of Object.entries({ ...sample, prize })) {
    words = words.replaceAll(`{${name}}`, name === "link" && !hasLink ? "" : value);
  }
  words = words.replace(/ {2,}/g, " ").trim();
  return hasLink ? words : words.replace(/[\s:]+$/, "");
}

// A text message holds 160 plain letters or 70 others; of several, each loses seven or three to say which it is.
function messages(words) {
  const [whole, part] = PLAIN.test(words) ? [160, 153] : [70, 67];
  return words.length <= whole ? 1 : Math.ceil(words.length / part);
}

for (const place of document.querySelectorAll("[data-share]")) {
  const field = place.querySelector("textarea, input");
  const count = place.querySelector("[data-count-of]");
  const look = place.querySelector("[data-look]");
  const sample = JSON.parse(place.dataset.sample);
  const show = () => {
    const text = field.value || field.placeholder;
    const words = filled(text, sample, "hasLink" in place.dataset);
    const limit = Number(place.dataset.limit);
    look.textContent = words;
    count.textContent = count.dataset.words.replace("{number}", text.length).replace("{limit}", limit);
    if (count.dataset.several) count.textContent += ` · ${count.dataset.several.replace("{parts}", messages(words))}`;
    count.classList.toggle("is-over", text.length > limit);
  };
  field.addEventListener("input", show);
  show();
}
