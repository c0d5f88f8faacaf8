/* AegisNotify: progressive enhancement only. Every page works without it (forms post, links navigate). */
(() => {
  const root = document.documentElement;
  const sprite = root.dataset.sprite;
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const icon = name => `<svg class="i" aria-hidden="true"><use href="${sprite}#${name}"/></svg>`;

  /* Theme: a cookie, so that the server renders data-theme and there is no flash. The button works only with JavaScript,
     so it is shown by JavaScript. */
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const paintTheme = () => all('[data-theme-toggle]').forEach(button => {
    button.hidden = false;
    button.innerHTML = icon(dark() ? 'sun' : 'moon');
    button.setAttribute('aria-pressed', dark());
  });
  const switchTheme = () => {
    const theme = dark() ? 'light' : 'dark';
    root.dataset.theme = theme;
    const secure = location.protocol === 'https:' ? ';secure' : '';
    document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax${secure}`;
    paintTheme();
  };
  paintTheme();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paintTheme);

  const toast = (text, undo, tone = '') => {
    const box = document.createElement('div');
    box.className = `toast ${tone}`;
    box.innerHTML = icon(tone === 'bad' ? 'alert-triangle' : 'circle-check');
    const words = document.createElement('span');
    words.textContent = text;
    box.append(words);
    if (undo) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = 'Undo';
      button.onclick = () => { undo(); box.remove(); };
      box.append(button);
    }
    $('#toasts').append(box);
    /* A toast stays while it is pointed at or has the focus. */
    let timer = setTimeout(() => box.remove(), 6000);
    const hold = () => clearTimeout(timer);
    const release = () => { timer = setTimeout(() => box.remove(), 3000); };
    box.addEventListener('mouseenter', hold);
    box.addEventListener('focusin', hold);
    box.addEventListener('mouseleave', release);
    box.addEventListener('focusout', release);
  };
  window.aegisToast = toast;
  /* The server says HX-Trigger: {"toast": "Saved"}. */
  document.body.addEventListener('toast', event => toast(event.detail.value || event.detail));

  /* Optimistic controls: if the server refuses, put the control back and say so. */
  ['htmx:responseError', 'htmx:sendError'].forEach(name => document.body.addEventListener(name, event => {
    /* A poll that got no answer lost nothing; it is asked again. */
    if (event.detail.requestConfig?.verb === 'get') return;
    const control = event.detail.elt;
    if (control.type === 'checkbox') control.checked = !control.checked;
    toast('Not saved. Check your connection and try again.', null, 'bad');
  }));

  /* Filter cells: io and if inherit (on, off), oo and of override (on, off). */
  const setCell = (cell, state) => {
    const on = state[1] === 'o', pinned = state[0] === 'o';
    cell.className = `tri ${state}`;
    cell.setAttribute('aria-checked', on);
    cell.innerHTML = icon(on ? 'check' : pinned ? 'bell-off' : 'minus') + `<span>${on ? 'On' : 'Off'}</span>`;
    const note = document.getElementById(cell.getAttribute('aria-describedby'));
    if (note) note.textContent = pinned ? 'Override for this channel' : 'Inherited from the global flag';
    const last = cell.parentNode.lastElementChild;
    const wanted = pinned ? 'tri-x' : 'tri-sp';
    if (!last.classList.contains(wanted)) {
      const next = document.createElement(pinned ? 'button' : 'span');
      next.className = wanted;
      if (pinned) {
        next.type = 'button';
        next.dataset.triReset = '';
        next.title = 'Reset to inherit';
        next.setAttribute('aria-label', `Reset ${cell.getAttribute('aria-label')}: inherit the global flag`);
        next.innerHTML = icon('arrow-back-up');
      }
      last.replaceWith(next);
    }
    cell.parentNode.classList.add('draft');
  };

  const reveal = button => {
    const input = $(button.dataset.reveal), hidden = input.type === 'password';
    input.type = hidden ? 'text' : 'password';
    button.setAttribute('aria-pressed', hidden);
    button.setAttribute('aria-label', hidden ? 'Hide' : 'Show');
    button.innerHTML = icon(hidden ? 'eye-off' : 'eye');
  };

  const copy = button => {
    const source = $(button.dataset.copy);
    navigator.clipboard?.writeText(source.value ?? source.textContent).then(() => toast('Copied to clipboard'));
  };

  document.addEventListener('click', event => {
    const hit = selector => event.target.closest(selector);
    all('details.menu[open]').forEach(menu => { if (!menu.contains(event.target)) menu.open = false; });
    let target;
    if (hit('[data-theme-toggle]')) switchTheme();
    else if ((target = hit('[data-copy]'))) copy(target);
    else if ((target = hit('[data-tri]'))) setCell(target, target.getAttribute('aria-checked') === 'true' ? 'of' : 'oo');
    else if ((target = hit('[data-tri-reset]'))) {
      const cell = $('[data-tri]', target.parentNode);
      setCell(cell, cell.dataset.global === 'on' ? 'io' : 'if');
      cell.focus();
    }
    else if ((target = hit('[data-open]'))) $(target.dataset.open).showModal();
    else if ((target = hit('[data-close]'))) target.closest('dialog').close();
    else if ((target = hit('[data-reveal]'))) reveal(target);
  });

  /* Arrow keys move through the matrix; Backspace and Delete reset a cell to inherit. */
  const moveInMatrix = (event, cell) => {
    const row = cell.closest('tr'), cells = all('[data-tri]', row), column = cells.indexOf(cell);
    const rows = all('tr', row.closest('table')).filter(other => $('[data-tri]', other)), index = rows.indexOf(row);
    const at = other => other && all('[data-tri]', other)[column];
    const next = {
      ArrowLeft: cells[column - 1],
      ArrowRight: cells[column + 1],
      ArrowUp: at(rows[index - 1]),
      ArrowDown: at(rows[index + 1]),
    }[event.key];
    if (next) { event.preventDefault(); next.focus(); }
    if (event.key === 'Backspace' || event.key === 'Delete') $('[data-tri-reset]', cell.parentNode)?.click();
  };

  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') all('details.menu[open]').forEach(menu => { menu.open = false; $('summary', menu).focus(); });
    if (event.key === '/' && !event.target.closest('input, textarea, select')) {
      const search = $('[data-search]');
      if (search) { event.preventDefault(); search.focus(); }
    }
    const cell = event.target.closest?.('[data-tri]');
    if (cell) moveInMatrix(event, cell);
  });
})();
