// The form works without this. A photo that is too large, or that we cannot read but this browser can (HEIC on a Mac or
// an iPhone), is made smaller here before it is sent; for any other the sentence is said before a long way is gone.
const READABLE = ["image/jpeg", "image/png", "image/webp"];
const SIDE = 3200; // twice what is shown
const photo = document.getElementById("photo");
const form = photo?.form;

photo?.addEventListener("change", async () => {
  const [file] = photo.files;
  tell("");
  said("");
  if (!file) return;
  const bitmap = await createImageBitmap(file).catch(() => null);
  const pixels = bitmap ? bitmap.width * bitmap.height : 0;
  const isLarge = file.size > Number(photo.dataset.most) || pixels > Number(photo.dataset.pixels);
  if (READABLE.includes(file.type) && !isLarge) return;
  const smaller = bitmap && (await shrunk(bitmap));
  if (photo.files[0] !== file) return; // another one was chosen meanwhile
  if (!smaller) {
    const isHeic = /heic|heif/i.test(file.type) || /\.hei[cf]$/i.test(file.name);
    tell(isHeic ? photo.dataset.heic : isLarge ? photo.dataset.large : photo.dataset.kind);
    return;
  }
  const chosen = new DataTransfer();
  chosen.items.add(new File([smaller], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }));
  photo.files = chosen.files;
  said(photo.dataset.done);
});

form?.addEventListener("submit", (event) => {
  if (!photo.hasAttribute("data-refused")) return;
  event.preventDefault();
  photo.focus();
});

function shrunk(bitmap) {
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
}

function tell(sentence) {
  document.getElementById("photo-error")?.remove();
  photo.toggleAttribute("data-refused", Boolean(sentence));
  photo.setAttribute("aria-describedby", sentence ? "photo-error photo-help" : "photo-help");
  if (!sentence) {
    photo.removeAttribute("aria-invalid");
    return;
  }
  const error = document.createElement("p");
  error.id = "photo-error";
  error.className = "field-error";
  error.setAttribute("role", "alert");
  error.textContent = sentence;
  photo.before(error);
  photo.setAttribute("aria-invalid", "true");
}

function said(sentence) {
  document.getElementById("photo-said").textContent = sentence;
}
