// Rows that can be dragged into another order; the arrows beside them do the same by keyboard.
for (const list of document.querySelectorAll("[data-order]")) {
  let dragged = null;
  const rows = () => [...list.querySelectorAll("[data-id]")];
  for (const row of rows()) {
    row.draggable = true;
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      event.dataTransfer.effectAllowed = "move";
      row.classList.add("is-dragged");
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged || dragged === row) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      row[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
    });
    row.addEventListener("dragend", async () => {
      row.classList.remove("is-dragged");
      dragged = null;
      const body = new URLSearchParams({ csrf_token: list.dataset.token, ids: rows().map((one) => one.dataset.id) });
      const answer = await fetch(list.dataset.order, { method: "POST", body, redirect: "manual" });
      if (answer.type !== "opaqueredirect") location.reload();
    });
  }
}
