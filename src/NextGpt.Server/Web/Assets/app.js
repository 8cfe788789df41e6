// Wires the page: one listener for clicks, one for forms, one for keys.
import { acts as fileActs, attached, clearAttached, startAttach } from './attach.js';
import { $, alertBar, composer, question, toBottom } from './page.js';
import { acts as sideActs, sideIsOpen, startSide } from './side.js';
import { acts as turnActs, ask, forms, lastTurn, running, startThread, stop } from './thread.js';

async function guarded(work) {
  try {
    await work();
  } catch (refusal) {
    alertBar(refusal.message);
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (!button) {
    return;
  }
  const { act } = button.dataset;
  const turn = button.closest('.turn');
  if (turn && turnActs[act]) {
    guarded(() => turnActs[act](turn, button));
  } else if (act === 'example') {
    guarded(() => send(button.textContent));
  } else if (act === 'newest') {
    toBottom();
    question.focus();
  } else if (fileActs[act]) {
    guarded(() => fileActs[act](button));
  } else if (sideActs[act]) {
    guarded(() => sideActs[act](button));
  }
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form === composer) {
    event.preventDefault();
    guarded(() => (running() ? stop() : send(question.value)));
  } else if (form.dataset.form) {
    event.preventDefault();
    guarded(() => forms[form.dataset.form](form.closest('.turn'), form));
  }
});

document.addEventListener('keydown', (event) => {
  if (event.isComposing) {
    return;
  }
  const form = event.target.closest?.('form[data-form]');
  if (event.key === 'Enter' && event.target === question && !event.shiftKey && !matchMedia('(pointer: coarse)').matches) {
    event.preventDefault();
    if (!running()) {
      composer.requestSubmit();
    }
  } else if (event.key === 'Escape' && form) {
    $('[data-act="cancel"]', form).click();
  } else if (event.key === 'Escape' && !sideIsOpen() && !$('dialog[open]') && running()) {
    guarded(stop);
  }
});

async function send(text) {
  const files = attached();
  if (!text.trim() && files.length === 0) {
    question.focus();
    return;
  }
  if (await ask(text, lastTurn(), { files, make: $('#make')?.value || null })) {
    question.value = '';
    if ($('#make')) {
      $('#make').value = '';
    }
    clearAttached();
    fit();
  }
  question.focus();
}

/** Grows the message box with its text where the sheet cannot. */
function fit() {
  if (!CSS.supports('field-sizing', 'content')) {
    question.style.height = 'auto';
    question.style.height = `${question.scrollHeight}px`;
  }
}

question.addEventListener('input', fit);
startSide();
startAttach();
startThread();
if (!matchMedia('(pointer: coarse)').matches) {
  question.focus();
}
