// The conversation: ask, follow, stop, answer again, edit, versions, votes, copy, remove.
import { follow, show, showList } from './answer.js';
import { $, alertBar, announce, composer, confirmed, copy, keepAtBottom, keepingPlace, question, say, shell, thread, toBottom, turns } from './page.js';
import { call, nodes } from './server.js';
import { refreshList } from './side.js';

const article = (id) => document.getElementById(`turn-${id}`);
const copyIcon = () => $('[data-act="copy"] svg')?.cloneNode(true) ?? document.createTextNode('⧉');
let sending = false;

/** The turn that is being answered on this page, or null. */
export const running = () => $('[data-state="running"]', turns)?.dataset.turn ?? null;

function showBusy() {
  const busy = running() !== null;
  composer.classList.toggle('busy', busy);
  $('#send').setAttribute('aria-label', busy ? 'Stop the answer' : 'Send');
}

/**
 * Asks after a turn ('' is the beginning). Resolves to whether the question was taken.
 * more: again, files, filesOf (a turn whose files it has too), make (what the answer must be).
 */
export async function ask(text, after, more = {}) {
  if (sending || running()) {
    return false;
  }
  sending = true;
  alertBar(null);
  try {
    const { files = [], ...rest } = more;
    const turnAsked = { conversation: shell.dataset.conversation, after, text, messageId: newId(), ...rest };
    let body = turnAsked;
    if (files.length > 0) {
      body = new FormData();
      body.append('turn', new Blob([JSON.stringify(turnAsked)], { type: 'application/json' }));
      files.forEach((file) => body.append('file', file, file.name));
      say('Sending the files.');
    }
    const response = await call('POST', '/chat/turns', body);
    const { conversation, turn, html, title } = await response.json();
    begin(conversation, title);
    const replaced = [...turns.children].find((other) => other.dataset.parent === after);
    while (replaced?.nextElementSibling) {
      replaced.nextElementSibling.remove();
    }
    replaced?.remove();
    turns.append(nodes(html));
    article(turn)?.classList.add('fresh');
    toBottom();
    say('Sent. The AI is answering.');
    watch(turn);
    refreshList();
    return true;
  } catch (refusal) {
    alertBar(refusal.message);
    return false;
  } finally {
    sending = false;
  }
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function begin(conversation, title) {
  shell.dataset.conversation = conversation;
  $('#empty')?.remove();
  $('#chat-tools').hidden = false;
  setTitle(title);
  history.replaceState(null, '', `/c/${conversation}`);
}

export function setTitle(title) {
  $('#title').textContent = title;
  document.title = `${title} · NextGpt`;
}

/** The last turn on the page, which a new question follows. */
export const lastTurn = () => turns.lastElementChild?.dataset.turn ?? '';

/** Follows a running turn and shows what comes. */
export function watch(turn) {
  showBusy();
  const wait = (text) => {
    const line = article(turn) && $('.wait', article(turn));
    if (line) {
      line.hidden = text === null;
      $('span', line).textContent = text ?? '';
    }
  };
  follow(turn, {
    change: (data) => keepingPlace(() => {
      wait(null);
      const answer = article(turn) && $('.answer', article(turn));
      if (answer) {
        show(answer, data);
      }
    }),
    media: ({ html, news }) => keepingPlace(() => {
      wait(null);
      const list = article(turn) && $('.media', article(turn));
      if (list) {
        showList(list, html);
      }
      if (news) {
        say(news);
      }
    }),
    queued: ({ position, seconds }) => {
      const text = position === 1
        ? `Others are being answered; you are next, in about ${seconds} s.`
        : `Others are being answered; you are number ${position}, in about ${seconds} s.`;
      wait(text);
      say(text);
    },
    started: ({ model, files }) => {
      $('#model').textContent = model;
      const names = article(turn) && $('.files', article(turn));
      if (names && files) {
        keepingPlace(() => names.replaceWith(nodes(files)));
      }
    },
    broken: () => wait('The connection is lost; trying again…'),
    whole: () => {
      if (article(turn) && $('.wait span', article(turn))?.textContent.startsWith('The connection')) {
        wait($('.answer', article(turn)).children.length ? null : 'Thinking…');
      }
    },
    ended: ({ html, failed }) => {
      keepingPlace(() => article(turn)?.replaceWith(nodes(html)));
      decorate(article(turn));
      showBusy();
      say(failed ? `The answer failed. ${failed}` : '');
      const answer = article(turn) && $('.answer', article(turn));
      const media = [...article(turn)?.querySelectorAll('.media .medium') ?? []].map((medium) => {
        const word = { image: 'A picture', audio: 'A sound', video: 'A clip' }[medium.dataset.kind];
        const text = $('img', medium)?.alt ?? $('audio, video', medium)?.getAttribute('aria-label') ?? '';
        return `${word}: ${text}`;
      });
      const said = [answer?.textContent, ...media].filter(Boolean).join(' ');
      if (said) {
        announce(`The AI answered: ${said}`);
      }
      refreshList();
    },
    lost: () => {
      const sentence = 'The server was restarted while it answered, so the rest of this answer is lost.';
      keepingPlace(() => fail(article(turn), sentence));
      showBusy();
      say(sentence);
    },
  });
}

function fail(element, sentence) {
  if (!element) {
    return;
  }
  element.dataset.state = 'failed';
  element.setAttribute('aria-busy', 'false');
  $('.wait', element)?.remove();
  $('.answer', element).classList.remove('live');
  const card = document.createElement('div');
  card.className = 'failure';
  const text = document.createElement('p');
  text.textContent = sentence;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.dataset.act = 'again';
  button.textContent = 'Ask again';
  card.append(text, button);
  $('.reply', element).append(card);
}

/** Adds to finished code what only a script can do. */
export function decorate(element) {
  element?.querySelectorAll('.code').forEach((code) => {
    if ($('button', code)) {
      return;
    }
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'icon';
    button.dataset.act = 'copy-code';
    button.setAttribute('aria-label', 'Copy the code');
    button.append(copyIcon());
    code.append(button);
  });
}

/** Shows the branch that goes through a turn (null: the newest). */
export async function showBranch(through) {
  const conversation = shell.dataset.conversation;
  const query = through ? `?through=${through}` : '';
  const response = await call('GET', `/chat/conversations/${conversation}/thread${query}`);
  turns.replaceChildren(nodes(await response.text()));
  history.replaceState(null, '', `/c/${conversation}${query}`);
  decorate(turns);
  showBusy();
}

const text = (element) => $('.bubble', element).textContent;

/** What the buttons of a turn do; the handlers get the turn's element and the button. */
export const acts = {
  again: (element) => ask(text(element), element.dataset.parent,
    { again: true, filesOf: element.dataset.turn, make: element.dataset.make || null }),

  version: async (element, button) => {
    const { to, way } = button.dataset;
    await showBranch(to);
    const fresh = article(to);
    ($(`[data-way="${way}"]:not(:disabled)`, fresh) ?? $('[data-act="version"]', fresh))?.focus();
    fresh?.scrollIntoView({ block: 'nearest' });
  },

  copy: async (element) => {
    await copy($('.answer', element).dataset.source);
    say('The answer was copied.');
  },

  'copy-code': async (element, button) => {
    await copy($('code', button.parentElement).textContent);
    say('The code was copied.');
  },

  vote: async (element, button) => {
    const vote = button.getAttribute('aria-pressed') === 'true' ? 'none' : button.dataset.vote;
    await rate(element, { vote });
    const fresh = article(element.dataset.turn);
    if (vote === 'bad') {
      openReason(fresh);
    } else {
      $(`[data-vote="${button.dataset.vote}"]`, fresh).focus();
    }
  },

  reason: (element) => openReason(element),

  remove: async (element) => {
    if (await confirmed('Remove this turn?', 'The question and its answer are removed here and from what is kept.', 'Remove')) {
      await call('DELETE', `/chat/turns/${element.dataset.turn}`);
      await showBranch(element.nextElementSibling?.dataset.turn ?? element.previousElementSibling?.dataset.turn);
      say('The turn was removed.');
      question.focus();
      refreshList();
    }
  },

  edit: (element) => {
    const form = $('#edit-form').content.firstElementChild.cloneNode(true);
    form.text.value = text(element);
    const place = $('.ask', element);
    [...place.children].forEach((child) => { child.hidden = true; });
    place.append(form);
    form.text.focus();
  },

  cancel: (element, button) => {
    const form = button.closest('form');
    const place = form.parentElement;
    form.remove();
    if (place.matches('.ask')) {
      [...place.children].forEach((child) => { child.hidden = false; });
      $('[data-act="edit"]', place).focus();
    } else {
      $('[data-act="reason"], [data-act="vote"]', place)?.focus();
    }
  },
};

/** What the forms inside a turn do. */
export const forms = {
  edit: async (element, form) => {
    if ((form.text.value.trim() || $('.files', element)) && await ask(form.text.value, element.dataset.parent,
      { filesOf: element.dataset.turn, make: element.dataset.make || null })) {
      question.focus();
    }
  },

  reason: async (element, form) => {
    const reason = [form.reason.value, form.words.value.trim()].filter(Boolean).join(': ');
    const original = $('.answer', element).dataset.source;
    const correction = form.correction.value.trim();
    await rate(element, {
      vote: 'bad',
      reason: reason || null,
      correction: correction && correction !== original.trim() ? correction : null,
    });
    const fresh = article(element.dataset.turn);
    $('[data-act="reason"]', fresh)?.focus();
    say('Thank you. Your vote was saved.');
  },
};

async function rate(element, vote) {
  const response = await call('PUT', `/chat/turns/${element.dataset.turn}/rating`,
    { conversation: shell.dataset.conversation, ...vote });
  element.replaceWith(nodes(await response.text()));
  decorate(article(element.dataset.turn));
}

function openReason(element) {
  const button = $('[data-act="reason"]', element);
  const reply = $('.reply', element);
  if ($('form', reply) || !button) {
    return;
  }
  const form = $('#reason-form').content.firstElementChild.cloneNode(true);
  const [chip, ...words] = (button.dataset.reason ?? '').split(': ');
  const chosen = [...form.reason].find((radio) => radio.value === chip);
  if (chosen) {
    chosen.checked = true;
    form.words.value = words.join(': ');
  } else {
    form.words.value = button.dataset.reason ?? '';
  }
  form.correction.value = button.dataset.correction || $('.answer', element).dataset.source;
  reply.append(form);
  form.reason[0].focus();
  form.scrollIntoView({ block: 'nearest' });
}

/** Starts what the server's page shows: a running answer is followed, the newest text is in sight. */
export function startThread() {
  decorate(turns);
  if (!new URLSearchParams(location.search).has('through')) {
    toBottom();
  }
  keepAtBottom();
  const id = running();
  if (id) {
    watch(id);
  }
  let renewed = 0;
  turns.addEventListener('error', ({ target }) => {
    // The address of a medium has expired: the page asks for fresh ones, once a minute at most.
    if (target.matches('img, audio, video') && running() === null && Date.now() - renewed > 60_000) {
      renewed = Date.now();
      showBranch(new URLSearchParams(location.search).get('through')).catch(() => {});
    }
  }, true);
  thread.addEventListener('scroll', () => {
    $('#newest').hidden = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 200;
  }, { passive: true });
}

/** Stops the running answer. */
export async function stop() {
  const id = running();
  if (id) {
    say('Stopping.');
    await call('POST', `/chat/turns/${id}/stop`);
  }
}
