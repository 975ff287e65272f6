for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const sort = (head, index) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(h => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter(r => !r.classList.contains("group"));
      const key = r => index ? r.cells[index].dataset.value : r.cells[0].textContent;
      rows.sort((a, b) => {
        const x = key(a), y = key(b), p = parseFloat(x), q = parseFloat(y);
        if (!index) return (down ? -1 : 1) * x.localeCompare(y);
        if (isNaN(p) || isNaN(q)) return isNaN(p) - isNaN(q);
        return (down ? -1 : 1) * (p - q);
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
