// What every part of the page uses: elements, the two voices for screen readers, scrolling, dialogs.

export const $ = (selector, within = document) => within.querySelector(selector);

export const shell = $('.shell');
export const thread = $('#thread');
export const turns = $('.turns');
export const composer = $('#composer');
export const question = $('#question');

/** Says politely what is going on. */
export function say(text) {
  $('#status').textContent = text;
}

/** Reads a finished answer out, once. */
export function announce(text) {
  $('#announcer').textContent = text;
}

/** Shows a sentence above the message box; null takes it away. */
export function alertBar(sentence) {
  const bar = $('#alert');
  $('span', bar).textContent = sentence ?? '';
  bar.hidden = !sentence;
}

export function atBottom() {
  return thread.scrollHeight - thread.scrollTop - thread.clientHeight < 90;
}

export function toBottom() {
  thread.scrollTop = thread.scrollHeight;
}

/** Runs a change of the thread; stays at the newest text if that is where the person was. */
export function keepingPlace(change) {
  const stick = atBottom();
  change();
  if (stick) {
    toBottom();
  }
}

/** Media get their height when they have loaded: whoever was at the newest text stays there. */
export function keepAtBottom() {
  let stick = atBottom();
  thread.addEventListener('scroll', () => {
    stick = atBottom();
  }, { passive: true });
  const watched = new ResizeObserver(() => {
    if (stick) {
      toBottom();
    }
  });
  watched.observe(turns);
  watched.observe(thread);
}

/** Asks for a yes in the page's own dialog. */
export function confirmed(title, text, yes) {
  const dialog = $('#confirm');
  $('#confirm-title').textContent = title;
  $('#confirm-text').textContent = text;
  $('#confirm-ok').textContent = yes;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok'), { once: true });
  });
}

/** Copies text, also where the clipboard API is not offered (plain HTTP on another machine). */
export async function copy(text) {
  if (navigator.clipboard && isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'sr';
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}
