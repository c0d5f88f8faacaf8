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

  /* `action` is {label, run}: a button beside the words. */
  const toast = (text, action, tone = '') => {
    const box = document.createElement('div');
    box.className = `toast ${tone}`;
    box.innerHTML = icon(tone === 'bad' ? 'alert-triangle' : 'circle-check');
    const words = document.createElement('span');
    words.textContent = text;
    box.append(words);
    if (action) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = action.label;
      button.onclick = () => { action.run(); box.remove(); };
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
  /* Or {"toast": {"text": "…", "undo": "id"}}: the control with that id takes it back. */
  document.body.addEventListener('toast', event => {
    const { text, undo, value } = event.detail;
    const back = undo && { label: 'Undo', run: () => document.getElementById(undo)?.click() };
    toast(text || value || event.detail, back);
  });

  /* The sentence of an error page, for which there is no place within a page: {"text": "…", "reload": true}. */
  const REFUSAL = 'X-Aegis-Refusal';

  /* A refusal that says why beside its control: the answer is shown although its status is an error. */
  document.body.addEventListener('htmx:beforeSwap', event => {
    const { requestConfig, xhr } = event.detail;
    /* A whole page that says what went wrong is not such an answer. */
    if (xhr.getResponseHeader(REFUSAL)) return;
    if (requestConfig.elt.closest('[data-swap-errors]') && [400, 402, 403, 409, 412, 429].includes(xhr.status)) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  /* A button that is disabled while the server is asked gets the focus back. */
  let asked = '';
  document.body.addEventListener('htmx:beforeRequest', event => {
    if (event.detail.elt.matches('[hx-disabled-elt]')) asked = document.activeElement.id;
  });
  document.body.addEventListener('htmx:afterRequest', event => {
    const lost = document.activeElement === document.body;
    /* The element that asked may be gone from the page, and then the event comes from what held it. */
    if (lost && event.detail.requestConfig.elt.matches('[hx-disabled-elt]')) document.getElementById(asked)?.focus();
  });

  /* A dialog gives the focus back to what opened it, also where the page behind it was drawn anew. */
  let opener = '';
  document.body.addEventListener('htmx:beforeRequest', event => {
    if (event.detail.target?.matches('[data-dialog]') && !event.detail.target.open) opener = event.detail.elt.id;
  });
  const giveBack = () => opener && document.getElementById(opener)?.focus();
  document.addEventListener('close', event => { if (event.target.matches('[data-dialog]')) giveBack(); }, true);
  document.body.addEventListener('closeDialog', () => {
    all('dialog[open]').forEach(dialog => { dialog.close(); });
    giveBack();
  });

  /* A switch that is a button shows its new state while the server is asked. */
  const flip = control => control.setAttribute('aria-checked', control.getAttribute('aria-checked') !== 'true');
  document.body.addEventListener('htmx:beforeRequest', event => {
    const control = $('[data-optimistic]', event.detail.elt);
    if (control) flip(control);
  });

  /* Optimistic controls: if the server refuses, put the control back and say so. */
  /* A toast would be behind an open dialog. */
  const noteIn = (dialog, { text, reload: offer }) => {
    $('[data-failure]', dialog)?.remove();
    const note = document.createElement('div'), words = document.createElement('div');
    note.className = 'note bad';
    note.dataset.failure = '';
    note.setAttribute('role', 'alert');
    note.innerHTML = icon('alert-triangle');
    words.textContent = text;
    note.append(words);
    if (offer) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'btn sm';
      button.textContent = reload.label;
      button.onclick = reload.run;
      note.append(button);
    }
    $('.card-b', dialog).prepend(note);
  };
  const reload = { label: 'Reload', run: () => location.reload() };
  const whyNot = (name, xhr, asked) => {
    const said = xhr.status && xhr.getResponseHeader(REFUSAL);
    if (said) return JSON.parse(said);
    if (name === 'htmx:timeout') return { text: 'No answer came. Reload the page to see what is saved.', reload: true };
    return { text: `${asked ? 'Not loaded' : 'Not saved'}. Check your connection and try again.` };
  };
  ['htmx:responseError', 'htmx:sendError', 'htmx:timeout'].forEach(name => document.body.addEventListener(name, event => {
    const { elt: control, requestConfig, xhr } = event.detail;
    const asked = requestConfig.verb === 'get', cause = requestConfig.triggeringEvent?.type;
    /* A poll that got no answer lost nothing; it is asked again. */
    if (asked && (!cause || cause === 'tick')) return;
    if (control.type === 'checkbox') control.checked = !control.checked;
    const flipped = $('[data-optimistic]', control);
    if (flipped) flip(flipped);
    putCellBack(control);
    const why = whyNot(name, xhr, asked), dialog = control.closest('dialog[open]');
    if (dialog) noteIn(dialog, why);
    else toast(why.text, why.reload && reload, 'bad');
  }));

  /* Filter cells: io and if inherit (on, off), oo and of override (on, off). Shown at once; the answer is the cell as the
     server has it. */
  const cellsBefore = new WeakMap();
  const setCell = (cell, state) => {
    const on = state[1] === 'o', pinned = state[0] === 'o', box = cell.closest('td');
    if (!cellsBefore.has(box)) cellsBefore.set(box, box.innerHTML);
    cell.className = `tri ${state}`;
    cell.setAttribute('aria-checked', on);
    cell.innerHTML = icon(on ? 'check' : pinned ? 'bell-off' : 'minus') + `<span>${on ? 'On' : 'Off'}</span>`;
  };
  const putCellBack = control => {
    const box = control.closest('td');
    if (!cellsBefore.has(box)) return;
    box.innerHTML = cellsBefore.get(box);
    cellsBefore.delete(box);
    window.htmx.process(box);
  };
  document.body.addEventListener('htmx:afterSwap', event => cellsBefore.delete(event.target));

  /* What somebody opened stays open when its part of the page is drawn anew. */
  const opened = new Set();
  document.addEventListener('toggle', ({ target }) => {
    if (target.matches('[data-stays-open]')) opened[target.open ? 'add' : 'delete'](target.id);
  }, true);
  document.body.addEventListener('htmx:load', () => {
    all('[data-stays-open]').forEach(details => { details.open = opened.has(details.id); });
  });

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

  /* Live parts ask for news every five seconds, while somebody looks at them and has not paused them. */
  let livePaused = false;
  const paintLive = () => all('[data-live-box]').forEach(box => {
    box.hidden = false;
    $('[data-live-on]', box).hidden = livePaused;
    $('[data-live-off]', box).hidden = !livePaused;
    $('[data-live-toggle]', box).setAttribute('aria-pressed', livePaused);
  });
  paintLive();
  document.body.addEventListener('htmx:load', paintLive);
  setInterval(() => {
    if (document.hidden || livePaused) return;
    all('[data-live]').forEach(part => window.htmx.trigger(part, 'tick'));
  }, 5000);

  /* The session has ended: the redirect led to the sign-in page, which is no part of this one. */
  document.body.addEventListener('htmx:beforeSwap', event => {
    const { responseURL } = event.detail.xhr;
    if (!responseURL || new URL(responseURL).pathname !== '/login/') return;
    event.detail.shouldSwap = false;
    location.reload();
  });

  /* A question that htmx loads into a dialog opens it. The links lead to a page that asks the same. */
  document.body.addEventListener('htmx:afterSwap', event => {
    const dialog = event.target;
    if (!dialog.matches('[data-dialog]')) return;
    /* Its name is its heading, which was not there before. */
    dialog.setAttribute('aria-labelledby', $('h2', dialog).id);
    if (!dialog.open) dialog.showModal();
  });

  /* The first guess at a time zone is the browser's, where the form does not know better. */
  all('select[data-browser-zone]').forEach(select => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (select.value === 'UTC' && all('option', select).some(option => option.value === zone)) select.value = zone;
  });

  /* A second click sends a form once. Coming back by the back button it can be sent again, and after a while: the answer
     may never come, or have been stopped. */
  document.addEventListener('submit', event => {
    const form = event.target;
    if (form.method !== 'post' || form.matches('[hx-post], [hx-put], [hx-patch], [hx-delete]')) return;
    if (form.dataset.sent) event.preventDefault();
    else setTimeout(() => { delete form.dataset.sent; }, 10_000);
    form.dataset.sent = 'yes';
  });
  addEventListener('pageshow', () => all('form[data-sent]').forEach(form => { delete form.dataset.sent; }));

  /* What was typed into a form that was sent too late, the session had ended, stands there again after signing in. It is
     kept over the pages that ask for that and no longer. Secrets are not kept. */
  const KEPT = 'aegis-typed', here = location.pathname + location.search;
  const forms = () => all('form[method="post"]');
  const fieldsOf = form => [...form.elements].filter(({ name, type, dataset }) =>
    name && !['hidden', 'submit', 'password', 'file'].includes(type) && !('secret' in dataset));
  document.addEventListener('submit', event => {
    const form = event.target;
    if (form.method !== 'post' || $('[data-keeps-typed]')) return;
    const values = fieldsOf(form).map(({ name, value, checked }) => ({ name, value, checked }));
    sessionStorage.setItem(KEPT, JSON.stringify({ page: here, number: forms().indexOf(form), values }));
  });
  document.body.addEventListener('htmx:afterRequest', ({ detail: { successful, xhr } }) => {
    if (successful && !xhr.getResponseHeader('HX-Redirect')) sessionStorage.removeItem(KEPT);
  });
  const putTypedBack = () => {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    if (!kept) return;
    if ($('[data-keeps-typed]')) {
      sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, late: true }));
      return;
    }
    sessionStorage.removeItem(KEPT);
    const fields = kept.late && kept.page === here && forms()[kept.number] ? fieldsOf(forms()[kept.number]) : [];
    if (!fields.length || fields.some(({ name }, i) => name !== kept.values[i]?.name)) return;
    fields.forEach((field, i) => {
      if (['checkbox', 'radio'].includes(field.type)) field.checked = kept.values[i].checked;
      else field.value = kept.values[i].value;
    });
    toast('Nothing was saved yet. What you typed is back, except for secrets: send it again.');
  };
  putTypedBack();

  /* A field that belongs to one of several choices makes that choice. */
  document.addEventListener('input', event => {
    const [name, value] = (event.target.dataset.picks || '').split('=');
    const choice = name && $(`[name="${name}"][value="${value}"]`, event.target.form);
    if (choice) choice.checked = true;
  });

  document.addEventListener('click', event => {
    const hit = selector => event.target.closest(selector);
    all('details.menu[open]').forEach(menu => { if (!menu.contains(event.target)) menu.open = false; });
    let target;
    if (hit('[data-theme-toggle]')) switchTheme();
    else if ((target = hit('[data-copy]'))) copy(target);
    else if (hit('[data-live-toggle]')) {
      livePaused = !livePaused;
      paintLive();
    }
    else if ((target = hit('[data-tri]'))) setCell(target, target.getAttribute('aria-checked') === 'true' ? 'of' : 'oo');
    else if ((target = hit('[data-tri-reset]'))) {
      const cell = $('[data-tri]', target.parentNode);
      setCell(cell, target.dataset.flag === 'on' ? 'io' : 'if');
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
