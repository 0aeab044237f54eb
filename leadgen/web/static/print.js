// The sheet prints from the browser's menu too.
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => print());
