// Sharing with one press where the browser can; links and buttons do without.
const native = document.querySelector(".share-native");

if (native && navigator.share) {
  native.hidden = false;
  native.addEventListener("click", () => {
    const { title, text, url } = native.dataset;
    navigator.share({ title, text, url }).catch(() => {});
  });
}

const copy = document.querySelector(".copy");

if (copy && navigator.clipboard) {
  const label = copy.querySelector("span");
  const said = document.getElementById("said");
  const before = label.textContent;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    label.textContent = copy.dataset.done;
    said.textContent = said.dataset.copied;
    setTimeout(() => {
      label.textContent = before;
      said.textContent = "";
    }, 3000);
  });
}

const link = document.getElementById("my-link");
link?.addEventListener("focus", () => link.select());
