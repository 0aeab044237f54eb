// Alt and an arrow move the question that has the focus; afterwards it has the focus again. Buttons do without.
for (const row of document.querySelectorAll("[data-reorder]")) {
  row.addEventListener("keydown", (event) => {
    const by = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!event.altKey || !by) return;
    event.preventDefault();
    row.querySelector(`button[value="${by}"]:not(:disabled)`)?.click();
  });
}

// Once the page is there: the browser itself takes the focus away when it scrolls to the address's fragment.
addEventListener("load", () => {
  if (!location.hash.startsWith("#question-")) return;
  document.getElementById(location.hash.slice(1))?.querySelector("a")?.focus();
});
