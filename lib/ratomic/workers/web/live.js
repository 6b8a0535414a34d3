// Brings the page up to date while it is looked at. What is open stays open.
"use strict";
(() => {
  const from = document.currentScript.dataset.from;
  const pause = 2000;
  const main = document.getElementById("live");
  const renew = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(from, { cache: "no-store", credentials: "same-origin" });
        if (!answer.ok) throw new Error(answer.status);
        const text = await answer.text();
        const open = [...main.querySelectorAll("details[open]")].map((each) => each.id);
        const busy = main.contains(document.activeElement) || String(getSelection()) !== "";
        if (!busy) main.innerHTML = text;
        open.forEach((id) => { const found = document.getElementById(id); if (found) found.open = true; });
        main.classList.remove("stale");
      } catch {
        main.classList.add("stale");
      }
    }
    setTimeout(renew, pause);
  };
  setTimeout(renew, pause);
})();
