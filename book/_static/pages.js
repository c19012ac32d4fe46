// What paper and the keyboard need.

(() => {
  const SCROLLED = ".bd-article :is(pre, div.math, .pst-scrollable-table-container)";

  /** What can be scrolled can be reached with the Tab key, and nothing else can. */
  function reach() {
    for (const box of document.querySelectorAll(SCROLLED)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // The theme takes the focus from its switch, and the keyboard would be nowhere.
  for (const button of document.querySelectorAll(".theme-switch-button")) {
    button.addEventListener("click", () => button.focus());
  }

  // On paper all folds are open, all pictures there, and the colours those of paper.
  let folds, theme;

  addEventListener("beforeprint", () => {
    folds = [...document.querySelectorAll("details:not([open])")];
    for (const fold of folds) fold.open = true;
    for (const image of document.images) image.loading = "eager";
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
  });

  addEventListener("afterprint", () => {
    for (const fold of folds) fold.open = false;
    document.documentElement.dataset.theme = theme;
  });

  addEventListener("load", reach);
  addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);
})();
