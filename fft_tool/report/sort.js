// Sorts the overview by the column whose heading is clicked; rows without a value are last.
// Without scripts the table is the same, in the order of names.
"use strict";
for (const table of document.querySelectorAll("#overview table")) {
  const heads = [...table.tHead.rows[0].cells].filter((head) => head.dataset.sort);
  const names = new Intl.Collator("en", { numeric: true });

  const sort = (head) => {
    const key = head.dataset.sort;
    const sign = head.ariaSort === "ascending" ? -1 : 1;
    const compare = (a, b) => {
      const [x, y] = [a.dataset[key], b.dataset[key]];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return sign * (key === "name" ? names.compare(x, y) : x - y);
    };
    for (const row of [...table.tBodies[0].rows].sort(compare)) table.tBodies[0].append(row);
    for (const each of heads) each.removeAttribute("aria-sort");
    head.ariaSort = sign > 0 ? "ascending" : "descending";
  };

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }
}
