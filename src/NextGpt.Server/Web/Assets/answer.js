// One answer from its first event to its last, through reloads and lost connections.
import { events, nodes } from './server.js';

const SILENCE = 45_000;        // the server sends something every 15 s
const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 8_000;

/**
 * Follows a turn until it has ended. hooks: change(data), media(data), queued(data), notice(text), ended(data), broken(), whole(), lost().
 */
export async function follow(turn, hooks) {
  let next = 0;
  let pause = SHORTEST_PAUSE;
  for (;;) {
    const abort = new AbortController();
    let alarm = setTimeout(() => abort.abort(), SILENCE);
    const heard = () => {
      clearTimeout(alarm);
      alarm = setTimeout(() => abort.abort(), SILENCE);
    };
    const offline = () => abort.abort();   // do not wait for a connection that is gone to say so
    addEventListener('offline', offline);
    try {
      const response = await fetch(`/chat/turns/${turn}/events?from=${next}`, { signal: abort.signal });
      if (response.status === 404) {
        hooks.lost();
        return;
      }
      if (response.status === 401) {
        location.reload();
        return;
      }
      if (response.ok) {
        hooks.whole();
        for await (const event of events(response, heard)) {
          pause = SHORTEST_PAUSE;
          next = event.id;
          if (event.name === 'ended') {
            hooks.ended(event.data);
            return;
          }
          hooks[event.name]?.(event.data);
        }
      }
    } catch {
      // The connection broke; it is made again below, from where it broke.
    } finally {
      clearTimeout(alarm);
      removeEventListener('offline', offline);
    }
    hooks.broken();
    await again(pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** Waits for a pause, or until the browser says that the network is back. */
function again(pause) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, pause);
    function done() {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    }
    addEventListener('online', done);
  });
}

/** Brings a list up to date, touching only what differs: what plays goes on. */
export function showList(list, html) {
  const fresh = document.createElement('ul');
  fresh.append(nodes(html));
  morph(list, fresh);
  list.hidden = list.children.length === 0;
}

/** Brings the blocks of an answer up to date, touching only what differs, so that nothing flickers. */
export function show(answer, { from, count, blocks }) {
  while (answer.children.length > count) {
    answer.lastElementChild.remove();
  }
  blocks.forEach((html, index) => {
    let block = answer.children[from + index];
    if (!block) {
      block = document.createElement('div');
      block.className = 'block';
      answer.append(block);
    }
    morph(block, nodes(html));
  });
}

function morph(old, fresh) {
  const wanted = [...fresh.childNodes];
  const present = [...old.childNodes];
  present.slice(wanted.length).forEach((node) => node.remove());
  wanted.forEach((node, index) => {
    const there = present[index];
    if (!there) {
      old.append(node);
    } else if (there.nodeType === Node.TEXT_NODE && node.nodeType === Node.TEXT_NODE) {
      if (there.data !== node.data) {
        there.data = node.data;
      }
    } else if (there.nodeType === Node.ELEMENT_NODE && there.cloneNode(false).isEqualNode(node.cloneNode(false))) {
      morph(there, node);
    } else {
      there.replaceWith(node);
    }
  });
}
