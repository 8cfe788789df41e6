// The side bar, the dialogs and the person's data.
import { $, alertBar, announce, confirmed, question, say, shell, turns } from './page.js';
import { call, nodes } from './server.js';
import { setTitle, showBranch } from './thread.js';

const side = $('#side');
const find = $('#find');
const menu = $('.menu');
let searching = 0;

/** Fetches the list of conversations, as far as the words in the search field are in them. */
export async function refreshList() {
  const search = ++searching;
  try {
    const response = await call('POST', '/chat/list', { words: find.value, current: shell.dataset.conversation });
    const html = await response.text();
    if (search === searching) {
      $('#chats').replaceChildren(nodes(html));
    }
  } catch {
    // The list stays as it was; whatever comes next says that the server is away.
  }
}

function openSide(open) {
  side.classList.toggle('open', open);
  menu.setAttribute('aria-expanded', String(open));
  $('.room').inert = open;
  if (open) {
    $('.shut', side).focus();
  } else {
    menu.focus();
  }
}

export const sideIsOpen = () => side.classList.contains('open');

/** What the buttons outside of turns do. */
export const acts = {
  side: () => openSide(!sideIsOpen()),
  close: (button) => button.closest('dialog').close(),
  dismiss: () => {
    alertBar(null);
    question.focus();
  },

  data: () => {
    if (sideIsOpen()) {
      openSide(false);
    }
    $('#data').showModal();
  },

  rename: () => {
    const dialog = $('#rename');
    $('input', dialog).value = $('#title').textContent;
    const kept = $('.state.kept', turns) !== null;
    $('[data-name="kept"]', dialog).hidden = !kept;
    $('[data-name="unkept"]', dialog).hidden = kept;
    dialog.returnValue = '';
    dialog.showModal();
    $('input', dialog).select();
  },

  discard: async () => {
    if (await confirmed('Delete this conversation?', 'Every question and answer in it is removed, kept or not.', 'Delete')) {
      await call('DELETE', `/chat/conversations/${shell.dataset.conversation}`);
      location.assign('/');
    }
  },

  unsure: (button) => {
    const sure = button.closest('.sure');
    sure.hidden = true;
    if (sure.dataset.sure === 'keep') {
      const keep = $('input[name="keep"]');
      keep.checked = true;
      keep.focus();
    } else {
      $('[data-act="erase"]').focus();
    }
  },

  withdraw: () => consent(false, false),

  erase: () => {
    $('[data-sure="erase"]').hidden = false;
    $('[data-sure="erase"] [data-act="unsure"]').focus();
  },

  'erase-now': async () => {
    const { removed } = await (await call('POST', '/chat/erase')).json();
    announce(`Everything of yours was erased; ${removed} kept turns were removed.`);
    location.assign('/');
  },
};

async function consent(keep, train) {
  const version = $('[data-version]').dataset.version;
  try {
    const { html, keeps } = await (await call('PUT', '/chat/consent', { keep, train, version })).json();
    const focused = document.activeElement?.name;
    $('#data').replaceChildren(nodes(html));
    ($(`#data input[name="${focused}"]`) ?? $('#data input')).focus();
    $('#keeping').textContent = keeps ? 'kept' : 'not kept';
    $('#keeping-line').textContent = keeps ? 'Your conversations are kept.' : 'This is not kept: it is forgotten after an hour.';
    say(!keeps ? 'Nothing of yours is kept.'
      : train ? 'Your conversations are kept and may improve the model.'
        : 'Your conversations are kept. They do not improve the model.');
    if (turns.children.length) {
      await showBranch(new URLSearchParams(location.search).get('through'));
    }
    refreshList();
  } catch (refusal) {
    $('#data').close();
    alertBar(refusal.message);
  }
}

function startThemes() {
  const chosen = document.documentElement.dataset.theme ?? '';
  document.querySelectorAll('.themes input').forEach((input) => {
    input.checked = input.value === chosen;
    input.addEventListener('change', () => {
      try {
        if (input.value) {
          document.documentElement.dataset.theme = input.value;
          localStorage.setItem('theme', input.value);
        } else {
          delete document.documentElement.dataset.theme;
          localStorage.removeItem('theme');
        }
      } catch {
        // Without storage the choice lasts as long as the page.
      }
    });
  });
}

/** Connects what is not a button. */
export function startSide() {
  startThemes();
  let pause;
  find.addEventListener('input', () => {
    clearTimeout(pause);
    pause = setTimeout(refreshList, 150);
  });
  $('.veil').addEventListener('click', () => openSide(false));
  side.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && sideIsOpen()) {
      openSide(false);
    }
  });
  $('#data').addEventListener('change', ({ target }) => {
    if (target.name === 'keep' && !target.checked) {
      $('[data-sure="keep"]').hidden = false;
      $('[data-act="withdraw"]').focus();
    } else if (target.name === 'keep') {
      consent(true, false);
    } else if (target.name === 'train') {
      consent(true, target.checked);
    }
  });
  $('#data').addEventListener('close', () => {
    document.querySelectorAll('#data .sure:not([hidden]) [data-act="unsure"]').forEach((button) => acts.unsure(button));
  });
  $('#rename').addEventListener('close', async ({ target }) => {
    if (target.returnValue === 'ok') {
      try {
        const { title, kept } = await (await call('PUT', `/chat/conversations/${shell.dataset.conversation}/title`,
          { title: $('input', target).value })).json();
        setTitle(title);
        say(kept ? 'Renamed; the name is kept.' : 'Renamed; the name is not kept.');
        refreshList();
      } catch (refusal) {
        alertBar(refusal.message);
      }
    }
  });
}
