
"use strict";
(function () {
  var announcer = document.getElementById("announcer");
  var filter = document.getElementById("filter");
  var filterStatus = document.getElementById("filter-status");
  var boxes = filter ? Array.from(filter.querySelectorAll("input")) : [];

  // Copy buttons.

  function copyByHand(pre) {
    var selection = window.getSelection();
    var range = document.createRange();
    range.selectNodeContents(pre);
    selection.removeAllRanges();
    selection.addRange(range);
    var done = document.execCommand("copy");
    if (done) { selection.removeAllRanges(); }
    return done;
  }

  function copy(pre) {
    if (navigator.clipboard) {
      return navigator.clipboard.writeText(pre.textContent).then(
        function () { return true; },
        function () { return copyByHand(pre); }
      );
    }
    return Promise.resolve(copyByHand(pre));
  }

  document.querySelectorAll(".remediation pre").forEach(function (pre) {
    var frame = document.createElement("div");
    var button = document.createElement("button");
    frame.className = "copy-frame";
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    pre.replaceWith(frame);
    frame.append(button, pre);
    button.addEventListener("click", function () {
      copy(pre).then(function (done) {
        button.textContent = done ? "Copied" : "Press Ctrl+C";
        announcer.textContent = done ? "Copied" : "The text is selected. Press Control and C to copy it.";
        setTimeout(function () {
          button.textContent = "Copy";
          announcer.textContent = "";
        }, 3000);
      });
    });
  });

  // The filter by result.

  function applyFilter() {
    var shown = {};
    var count = 0;
    boxes.forEach(function (box) { shown[box.value] = box.checked; });
    document.querySelectorAll("section.rules").forEach(function (section) {
      var some = false;
      section.querySelectorAll(".rule").forEach(function (rule) {
        var show = shown[rule.dataset.kind] !== false;
        rule.classList.toggle("filtered", !show);
        some = some || show;
        count += show ? 1 : 0;
      });
      section.classList.toggle("filtered", !some);
    });
    filterStatus.textContent =
      count.toLocaleString("en") + " of " + filterStatus.dataset.total + " rules are shown.";
  }

  if (filter) {
    // A reload may bring back boxes as they were.
    boxes.forEach(function (box) { box.checked = true; });
    filter.hidden = false;
    filter.addEventListener("change", applyFilter);
    applyFilter();
  }

  // A link to a rule that the filter hides shows it again.
  function reveal(hash) {
    var id = hash.slice(1);
    try { id = decodeURIComponent(id); } catch (error) { return; }
    var target = id ? document.getElementById(id) : null;
    if (target ? target.closest(".filtered") : false) {
      boxes.forEach(function (box) { box.checked = true; });
      applyFilter();
      target.scrollIntoView();
    }
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href^='#']");
    if (link) { reveal(link.getAttribute("href")); }
  });
  window.addEventListener("hashchange", function () { reveal(location.hash); });

  // Paper cannot be unfolded. Browsers that know ::details-content do this by the style sheet alone.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open])").forEach(function (details) {
      details.open = true;
      opened.push(details);
    });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (details) { details.open = false; });
    opened = [];
  });
}());
