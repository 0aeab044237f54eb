// Sharing with one press where the browser can; links and buttons do without.
const native = document.querySelector(".share-native");
const isPhone = matchMedia("(pointer: coarse)").matches;

if (native && navigator.share && isPhone) {
  native.hidden = false;
  native.addEventListener("click", () => {
    const { title, text, url } = native.dataset;
    navigator.share({ title, text, url }).catch(() => {});
  });
}

const said = document.getElementById("said");

for (const copy of navigator.clipboard ? document.querySelectorAll(".copy") : []) {
  const label = copy.querySelector("span");
  const before = label.textContent;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    label.textContent = copy.dataset.done;
    said.textContent = copy.dataset.said;
    setTimeout(() => {
      label.textContent = before;
      said.textContent = "";
    }, 3000);
  });
}

// Which buttons are pressed is counted by channel, without a name; that somebody really shared nobody can know.
for (const button of document.querySelectorAll(".share [data-ch]")) {
  button.addEventListener("click", () => {
    navigator.sendBeacon?.(`${location.pathname}/shared`, new URLSearchParams({ ch: button.dataset.ch }));
  });
}

const link = document.getElementById("my-link");
link?.addEventListener("focus", () => link.select());
