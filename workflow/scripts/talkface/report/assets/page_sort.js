for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const sort = (head, index) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(h => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter(r => !r.classList.contains("group"));
      rows.sort((a, b) => {
        const x = a.cells[index], y = b.cells[index], p = parseFloat(x.dataset.value), q = parseFloat(y.dataset.value);
        if (isNaN(p) !== isNaN(q)) return isNaN(p) - isNaN(q); // what has no value stands last
        const order = isNaN(p) ? x.textContent.localeCompare(y.textContent, undefined, { numeric: true }) : p - q;
        return down ? -order : order;
      });
      rows.forEach(r => body.append(r));
    }
  };
  heads.forEach((head, index) => {
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(head, index));
    head.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); sort(head, index); } });
  });
}
